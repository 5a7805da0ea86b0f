-- ARGV: worker, node, lease ms
-- Returns {} or {id, fields and values of the record}.
-- Event: QUEUED to RUNNING.
local worker, node, lease_ms = ARGV[3], ARGV[4], tonumber(ARGV[5])
local max_skipped, alive_ms = 16, 60000
local now = now_ms()

local workers = prefix .. 'workers'
local seen = redis.call('ZSCORE', workers, node)
if not seen or tonumber(seen) < now - alive_ms / 4 then
  redis.call('ZADD', workers, text(now), node)
  redis.call('ZREMRANGEBYSCORE', workers, '-inf', text(now - alive_ms))
end

-- A node is excluded after a fault of its device; the only worker there is cannot be.
local function is_excluded(id)
  local excluded = get(id, 'excluded')
  return excluded ~= '' and string.find(excluded, ',' .. node .. ',', 1, true)
    and redis.call('ZCARD', workers) > 1
end

local excluded, found = {}, nil
local function pop()
  for _, priority in ipairs(priorities) do
    local id = redis.call('RPOP', pending_lists[priority])
    if id then
      return id
    end
  end
end

for _ = 1, max_skipped do
  local id = pop()
  if not id then
    break
  end
  if get(id, 'state') == 'QUEUED' then
    if not is_excluded(id) then
      found = id
      break
    end
    excluded[#excluded + 1] = id
  end
end
for position = #excluded, 1, -1 do
  push_front(excluded[position])
end
if not found then
  return {}
end

redis.call('ZREM', delayed, found)
redis.call('HINCRBY', job_key(found), 'attempt', 1)
redis.call('HSET', job_key(found), 'owner', worker, 'reported', '0', 'result', '')
redis.call('HSETNX', job_key(found), 'started', text(now))
redis.call('ZADD', leases, text(now + lease_ms), found)
move(found, now, 'RUNNING', '')
return {found, record_of(found)}
