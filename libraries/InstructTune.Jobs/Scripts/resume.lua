-- ARGV: id
-- Returns 1 queued, 0 no change.
-- Event: FAILED or CANCELLED to QUEUED.
local id = ARGV[3]
local state = get(id, 'state')
if state ~= 'FAILED' and state ~= 'CANCELLED' then
  return 0
end
redis.call('HSET', job_key(id), 'failures', '0', 'oom', '0', 'cause', '', 'cancel_fault', '', 'excluded', '', 'error', '')
redis.call('ZREM', ended, id)
redis.call('HDEL', job_key(id), 'ended')
push_back(id)
move(id, now_ms(), 'QUEUED', '')
return 1
