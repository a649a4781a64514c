# One image per service: docker build --target customers -t loyalty/customers .
# For the classic builder as well as for BuildKit. What downloads and compiles stays in the first stages; an image is
# Python, the packages that all services share (one layer, the same in all images), those of its service, and the code.
ARG PYTHON_IMAGE=python:3.11-slim

FROM ${PYTHON_IMAGE} AS build
# The versions of constraints.txt count also for what builds the packages: older pips read the first of the two.
ENV PIP_CONSTRAINT=/src/constraints.txt PIP_BUILD_CONSTRAINT=/src/constraints.txt \
    PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore
WORKDIR /src
COPY constraints.txt ./
# Without its code a package brings what it needs and its command, and a change of code leaves these layers as they are.
COPY libs/common/pyproject.toml libs/common/
RUN python3 -m venv --without-pip /opt/venv \
 && mkdir libs/common/src \
 && python3 -m pip --python /opt/venv/bin/python install "./libs/common[web,db,messaging]" \
 && touch /shared-is-complete
COPY deploy/images/add-packages /usr/local/bin/

FROM ${PYTHON_IMAGE} AS service
# Nothing is installed where it runs.
RUN find /usr -depth \( -path '*/python3*/ensurepip' -o -path '*-packages/pip*' -o -path '*-packages/setuptools*' \
      -o -path '*-packages/wheel*' -o -path '*-packages/pkg_resources' -o -path '*/bin/pip*' \) -exec rm -rf {} +
COPY deploy/images/is-ready /usr/local/bin/
ENV PATH=/opt/venv/bin:$PATH PYTHONPATH=/opt/loyalty PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 HOME=/tmp
COPY --from=build /opt/venv /opt/venv
WORKDIR /opt/loyalty
# By number, so that Kubernetes can see that it is not root.
USER 10001:10001
EXPOSE 8000 9464

FROM build AS gateway-build
COPY services/gateway/pyproject.toml services/gateway/
RUN add-packages gateway
COPY libs/common/src services/gateway/src /opt/loyalty/
RUN python3 -m compileall -q --invalidation-mode unchecked-hash /opt/loyalty

FROM service AS gateway
COPY --from=gateway-build /added /
EXPOSE 8001 8002
ENV OPENAPI_DIR=/opt/contracts/openapi
COPY contracts/openapi /opt/contracts/openapi
COPY --from=gateway-build /opt/loyalty ./
ENTRYPOINT ["loyalty-gateway"]
CMD ["serve"]
ARG VERSION=local
LABEL org.opencontainers.image.title="loyalty-gateway" org.opencontainers.image.version="${VERSION}"

FROM build AS customers-build
COPY services/customers/pyproject.toml services/customers/
RUN add-packages customers
COPY libs/common/src services/customers/src /opt/loyalty/
RUN python3 -m compileall -q --invalidation-mode unchecked-hash /opt/loyalty

FROM service AS customers
COPY --from=customers-build /added /
COPY --from=customers-build /opt/loyalty ./
ENTRYPOINT ["loyalty-customers"]
CMD ["serve"]
ARG VERSION=local
LABEL org.opencontainers.image.title="loyalty-customers" org.opencontainers.image.version="${VERSION}"

FROM build AS programs-build
COPY services/programs/pyproject.toml services/programs/
RUN add-packages programs
COPY libs/common/src services/programs/src /opt/loyalty/
RUN python3 -m compileall -q --invalidation-mode unchecked-hash /opt/loyalty

FROM service AS programs
COPY --from=programs-build /added /
COPY --from=programs-build /opt/loyalty ./
ENTRYPOINT ["loyalty-programs"]
CMD ["serve"]
ARG VERSION=local
LABEL org.opencontainers.image.title="loyalty-programs" org.opencontainers.image.version="${VERSION}"

FROM build AS vouchers-build
COPY services/vouchers/pyproject.toml services/vouchers/
RUN add-packages vouchers
COPY libs/common/src services/vouchers/src /opt/loyalty/
RUN python3 -m compileall -q --invalidation-mode unchecked-hash /opt/loyalty

FROM service AS vouchers
COPY --from=vouchers-build /added /
COPY --from=vouchers-build /opt/loyalty ./
ENTRYPOINT ["loyalty-vouchers"]
CMD ["serve"]
ARG VERSION=local
LABEL org.opencontainers.image.title="loyalty-vouchers" org.opencontainers.image.version="${VERSION}"

FROM build AS webhooks-build
COPY services/webhooks/pyproject.toml services/webhooks/
RUN add-packages webhooks
COPY libs/common/src services/webhooks/src /opt/loyalty/
RUN python3 -m compileall -q --invalidation-mode unchecked-hash /opt/loyalty

FROM service AS webhooks
COPY --from=webhooks-build /added /
COPY --from=webhooks-build /opt/loyalty ./
ENTRYPOINT ["loyalty-webhooks"]
CMD ["serve"]
ARG VERSION=local
LABEL org.opencontainers.image.title="loyalty-webhooks" org.opencontainers.image.version="${VERSION}"

FROM build AS dashboard-build
COPY services/dashboard/pyproject.toml services/dashboard/
RUN add-packages dashboard
COPY libs/common/src services/dashboard/src /opt/loyalty/
RUN python3 -m compileall -q --invalidation-mode unchecked-hash /opt/loyalty

FROM service AS dashboard
COPY --from=dashboard-build /added /
ENV CONTRACTS_DIR=/opt/contracts
COPY contracts/events /opt/contracts/events
COPY contracts/examples /opt/contracts/examples
COPY --from=dashboard-build /opt/loyalty ./
ENTRYPOINT ["loyalty-dashboard"]
CMD ["serve"]
ARG VERSION=local
LABEL org.opencontainers.image.title="loyalty-dashboard" org.opencontainers.image.version="${VERSION}"
