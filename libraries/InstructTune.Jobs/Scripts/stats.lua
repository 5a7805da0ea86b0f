-- Returns {queued HIGH, NORMAL, LOW, waiting for a retry, leased, ms since the longest waiting became queued, jobs}.
local now = now_ms()
local answer, oldest = {}, now
for _, priority in ipairs(priorities) do
  local list = pending_lists[priority]
  answer[#answer + 1] = redis.call('LLEN', list)
  local id = redis.call('LINDEX', list, -1)
  if id then
    local since = count(id, 'updated')
    if since > 0 and since < oldest then
      oldest = since
    end
  end
end
answer[#answer + 1] = redis.call('ZCARD', delayed)
answer[#answer + 1] = redis.call('ZCARD', leases)
answer[#answer + 1] = now - oldest
answer[#answer + 1] = redis.call('ZCARD', index)
return answer
