-- ARGV: id, last sequence that the archive has
-- Returns 1 when the job needs no more archiving, 0 when more happened to it in between.
local id, sequence = ARGV[3], tonumber(ARGV[4])
if count(id, 'sequence') > sequence then
  return 0
end
redis.call('ZREM', ended, id)
return 1
