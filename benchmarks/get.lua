-- The same request over and over. AUTHORIZATION comes from the environment.
wrk.headers["Authorization"] = os.getenv("AUTHORIZATION")

function done(summary)
  local errors = summary.errors
  local failed = errors.connect + errors.read + errors.write + errors.timeout + errors.status
  local line = '{"requests": %d, "seconds": %f, "failed": %d}\n'
  io.write(line:format(summary.requests, summary.duration / 1e6, failed))
end
