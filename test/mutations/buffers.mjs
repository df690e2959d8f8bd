/** Rules of buffers, memory, urgent data, records and their options, each broken in one way. See scripts/mutate.mjs. */
export default [
  {
    file: 'tcp/receive-space',
    name: 'the receive buffer never grows',
    find: 'if (copied > this.space)',
    replace: 'if (false)',
  },
  {
    file: 'tcp/receive-space',
    name: 'it grows though the user chose',
    find: '(settings.bufferLocks & RECEIVE_BUFFER_LOCK) !== 0',
    replace: 'false',
  },
  { file: 'tcp/send-queue', name: 'buffers cost nothing', find: 'BUFFER_CHARGE * this.#bufferCount', replace: '0' },
  {
    file: 'tcp/send-buffer',
    name: 'no limit of what is not sent',
    find: 'unsent(connection) < unsentLimit(connection) &&',
    replace: '',
  },
  {
    file: 'tcp/send-buffer',
    name: 'writes know no end of memory',
    find: '(sendQueue.length === 0 || !context.memory.exhausted)',
    replace: 'true',
  },
  { file: 'tcp/prune', name: 'what is out of order stays', find: 'reassembly.clear();', replace: '' },
  {
    file: 'tcp/output',
    name: 'records run together',
    find: 'connection.sendQueue.recordEnd(connection.sndNxt)',
    replace: 'connection.sendQueue.end',
  },
  {
    file: 'tcp/urgent',
    name: 'the pointer points at the byte',
    find: '!connection.context.config.tcp_stdurg ? 1 : 0',
    replace: 'false ? 1 : 0',
  },
  {
    file: 'tcp/receive',
    name: 'the reader runs over the mark',
    find: 'most = Math.min(count, bytesToMark(connection));',
    replace: '',
  },
  { file: 'socket/poll', name: 'SO_RCVLOWAT is not asked', find: 'length >= target', replace: 'true' },
  {
    file: 'stack/ports',
    name: 'SO_REUSEPORT shares nothing',
    find: '(claim.reusePort && other.reusePort)',
    replace: 'false',
  },
];
