-- A till: each request is a new purchase by a random member, with a reference and an Idempotency-Key of its own.
-- AUTHORIZATION, CREDIT_PATH and RUN (not used by any run before) come from the environment.
local headers = { ["Authorization"] = os.getenv("AUTHORIZATION"), ["Content-Type"] = "application/json" }
local path, run, sent = os.getenv("CREDIT_PATH"), os.getenv("RUN"), 0
local body = '{"customer_email": "c%d@example.com", "reference": "POS-%s-%d", "amount": 24.50, "currency": "USD", '
  .. '"notes": "Counter sale"}'

function init()
  math.randomseed(os.time())
end

function request()
  sent = sent + 1
  headers["Idempotency-Key"] = run .. "-" .. sent
  return wrk.format("POST", path, headers, body:format(math.random(20000), run, sent))
end

function done(summary)
  local errors = summary.errors
  local failed = errors.connect + errors.read + errors.write + errors.timeout + errors.status
  local line = '{"requests": %d, "seconds": %f, "failed": %d}\n'
  io.write(line:format(summary.requests, summary.duration / 1e6, failed))
end
