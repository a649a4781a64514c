-- The rule of gcra.py in one atomic call over several buckets, by the server's clock.
-- KEYS[i]: a bucket's arrival. ARGV[2i-1], ARGV[2i]: its emission interval in microseconds and its burst.
-- Returns {1, i of the tightest, remaining, microseconds until full} or {0, i of the refusing one, 0, microseconds to wait}.
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local refused, wait = nil, 0
local granted, least, full = nil, 0, 0
local moved = {}

local function keep(i, arrival)
  -- Written out, because how a number of this size becomes text is not the same everywhere.
  -- A bucket that is full again needs no memory.
  redis.call('SET', KEYS[i], string.format('%.0f', arrival), 'PX', math.ceil((arrival - now) / 1000) + 1000)
end

for i = 1, #KEYS do
  local emission = tonumber(ARGV[2 * i - 1])
  local empty = now + emission * tonumber(ARGV[2 * i])
  local arrival = tonumber(redis.call('GET', KEYS[i]) or '0')
  if arrival > empty then
    arrival = empty
    keep(i, arrival)
  end
  arrival = math.max(arrival, now) + emission
  local early = arrival - empty
  if early > 0 then
    if refused == nil or early > wait then refused, wait = i, early end
  else
    local remaining = math.floor(-early / emission)
    if granted == nil or remaining < least then granted, least, full = i, remaining, arrival - now end
    moved[i] = arrival
  end
end
if refused then return {0, refused, 0, wait} end
for i = 1, #KEYS do keep(i, moved[i]) end
return {1, granted, least, full}
