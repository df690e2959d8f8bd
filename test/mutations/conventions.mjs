/** Linux's conventions at the edges of a connection's life. See scripts/mutate.mjs. */
export default [
  {
    file: 'tcp/receive-window',
    name: 'the first window is what the SYN could say',
    find: 'return Math.min(whole, (route.initrwnd ?? Infinity) * mss);',
    replace: 'return Math.min(whole, 65_535, (route.initrwnd ?? Infinity) * mss);',
  },
  {
    file: 'tcp/receive-window',
    name: 'a window beyond what its field can say',
    find: 'if (currentWindow(connection) > sayable) connection.rcvAdv = (connection.rcvNxt + sayable) | 0;',
    replace: '',
  },
  {
    file: 'socket/sending',
    name: 'each buffer of a message ends a record',
    find: 'i === last ? flags : flags & ~LAST_ONLY',
    replace: 'flags',
  },
  {
    file: 'tcp/established',
    name: 'no time of data before there was any',
    find: 'connection.lastDataReceivedAt ||= now;',
    replace: '',
  },
  {
    file: 'tcp/persist',
    name: 'a full interface backs off',
    find: 'if (gone && connection.probeBackoff < 30)',
    replace: 'if (connection.probeBackoff < 30)',
  },
  {
    file: 'tcp/persist',
    name: 'a full interface is tried again after a timeout',
    find: 'const interval = gone ? probeInterval(connection) : RESOURCE_INTERVAL;',
    replace: 'const interval = probeInterval(connection);',
  },
  {
    file: 'tcp/output',
    name: 'nobody watches over data that the interface has no room for',
    find: '} else if (!waits) {',
    replace: '} else if (done && !waits) {',
  },
  {
    file: 'packetdrill/send-calls',
    name: 'a write that waits goes on at the first byte of room',
    find: 'if (full && (socket.poll() & (POLLOUT | POLLERR | POLLHUP)) === 0) return undefined;',
    replace: '',
  },
];
