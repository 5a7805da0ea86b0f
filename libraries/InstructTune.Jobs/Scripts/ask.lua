-- ARGV: id
-- Returns 1 when the job is RUNNING: its worker learns at its next renewal or report that a checkpoint is asked for,
-- until one is accepted; else 0.
local id = ARGV[3]
if get(id, 'state') ~= 'RUNNING' then
  return 0
end
redis.call('HSET', job_key(id), 'asked', '1')
return 1
