-- ARGV: sweep (1 or 0), cause of a lost lease, fault at the limit, fault when cancelled
-- Returns the number of jobs handled.
-- Event: to QUEUED, FAILED or CANCELLED for each expired lease.
local sweep, lost, exhausted, cancelled = ARGV[3], ARGV[4], ARGV[5], ARGV[6]
local max_handled = 100
local now = now_ms()
local handled = 0

for _, id in ipairs(redis.call('ZRANGEBYSCORE', leases, '-inf', text(now), 'LIMIT', 0, max_handled)) do
  local state = get(id, 'state')
  if state == 'CANCELLING' then
    finish_cancelled(id, now, cancelled)
  elseif state == 'RUNNING' then
    local failures = redis.call('HINCRBY', job_key(id), 'failures', 1)
    if failures >= count(id, 'max_attempts') then
      finish(id, now, 'FAILED', exhausted)
    else
      requeue(id, now, lost)
      push_front(id)
    end
  else
    redis.call('ZREM', leases, id)
  end
  handled = handled + 1
end

for _, id in ipairs(redis.call('ZRANGEBYSCORE', delayed, '-inf', text(now), 'LIMIT', 0, max_handled)) do
  redis.call('ZREM', delayed, id)
  push_back(id)
  handled = handled + 1
end

if sweep == '1' then
  local is_pending = {}
  for _, list in pairs(pending_lists) do
    for _, id in ipairs(redis.call('LRANGE', list, 0, -1)) do
      is_pending[id] = true
    end
  end
  for _, id in ipairs(redis.call('ZRANGE', index, 0, -1)) do
    local state = get(id, 'state')
    if state == 'QUEUED' and not is_pending[id] and not redis.call('ZSCORE', delayed, id) then
      push_back(id)
      handled = handled + 1
    elseif (state == 'RUNNING' or state == 'CANCELLING') and not redis.call('ZSCORE', leases, id) then
      redis.call('ZADD', leases, text(now - 1), id)
      handled = handled + 1
    end
  end
end
return handled
