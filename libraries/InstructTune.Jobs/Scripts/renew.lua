-- ARGV: id, attempt, lease ms
-- Returns 0 when the caller does not hold the job or its lease ran out, 1 extended, 2 extended and CANCELLING,
-- 3 extended and a checkpoint is asked for.
local id, attempt, lease_ms = ARGV[3], ARGV[4], tonumber(ARGV[5])
local now = now_ms()
if not holds(id, attempt) or tonumber(redis.call('ZSCORE', leases, id)) <= now then
  return 0
end
redis.call('ZADD', leases, text(now + lease_ms), id)
if get(id, 'state') == 'CANCELLING' then
  return 2
end
return get(id, 'asked') == '1' and 3 or 1
