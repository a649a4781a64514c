# In the place of nginxinc/nginx-unprivileged where no registry is reached: Debian's package, with the paths of that image.
ARG BASE=python:3.11-slim
FROM ${BASE}
USER root
RUN apt-get update -qq \
 && apt-get install -y -qq --no-install-recommends nginx-light >/dev/null \
 && rm -rf /var/lib/apt/lists/* \
 && printf '%s\n' 'pid /tmp/nginx.pid; error_log /dev/stderr; events {}' \
      'http { access_log /dev/stdout; include /etc/nginx/mime.types;' \
      'client_body_temp_path /tmp/body; proxy_temp_path /tmp/proxy; fastcgi_temp_path /tmp/fastcgi;' \
      'uwsgi_temp_path /tmp/uwsgi; scgi_temp_path /tmp/scgi; include /etc/nginx/conf.d/*.conf; }' >/etc/nginx/nginx.conf
USER nobody
ENTRYPOINT ["nginx", "-g", "daemon off;"]
