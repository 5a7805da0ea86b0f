-- ARGV: id, attempt, outcome (SUCCEEDED, FAILED, CANCELLED), expected checkpoint, result, fault
-- Returns 1 done; 0 when the caller does not hold the job; 2 refused; -2 when the comparison failed.
-- After an acknowledged cancel nothing is published: CANCELLING ends as CANCELLED only, and RUNNING never does.
-- Event: to the outcome.
local id, attempt, outcome, expected, result, fault = ARGV[3], ARGV[4], ARGV[5], ARGV[6], ARGV[7], ARGV[8]
if not holds(id, attempt) then
  return 0
end
if (get(id, 'state') == 'CANCELLING') ~= (outcome == 'CANCELLED') then
  return 2
end
if outcome == 'SUCCEEDED' then
  if get(id, 'checkpoint') ~= expected or get(id, 'result') ~= '' then
    return -2
  end
  redis.call('HSET', job_key(id), 'result', result, 'progress', '1')
end
if outcome == 'CANCELLED' then
  finish_cancelled(id, now_ms(), fault)
else
  finish(id, now_ms(), outcome, fault)
end
return 1
