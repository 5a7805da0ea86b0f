-- ARGV: id, attempt, kind (PREEMPTED, INFRASTRUCTURE, OUT_OF_MEMORY), node to exclude or empty, fault,
--   fault at the limit, fault when cancelled, retry unit ms, longest retry ms, jitter factor
-- Returns 0 when the caller does not hold the job; 1 queued; 3 failed; 4 cancelled.
-- Event: to QUEUED, FAILED or CANCELLED.
local id, attempt, kind, node, fault, exhausted, cancelled = ARGV[3], ARGV[4], ARGV[5], ARGV[6], ARGV[7], ARGV[8], ARGV[9]
local unit_ms, longest_ms, jitter = tonumber(ARGV[10]), tonumber(ARGV[11]), tonumber(ARGV[12])
local max_oom = 1
if not holds(id, attempt) then
  return 0
end

local now = now_ms()
if get(id, 'state') == 'CANCELLING' then
  finish_cancelled(id, now, cancelled)
  return 4
end
if kind == 'PREEMPTED' then
  requeue(id, now, fault)
  push_front(id)
  return 1
end

local failures = redis.call('HINCRBY', job_key(id), 'failures', 1)
if node ~= '' then
  local excluded = get(id, 'excluded')
  redis.call('HSET', job_key(id), 'excluded', (excluded == '' and ',' or excluded) .. node .. ',')
end
if kind == 'OUT_OF_MEMORY' and redis.call('HINCRBY', job_key(id), 'oom', 1) > max_oom then
  finish(id, now, 'FAILED', fault)
  return 3
end
if failures >= count(id, 'max_attempts') then
  finish(id, now, 'FAILED', exhausted)
  return 3
end

local pause_ms = math.min(unit_ms * 2 ^ failures, longest_ms) * jitter
requeue(id, now, fault)
redis.call('ZADD', delayed, text(now + pause_ms), id)
return 1
