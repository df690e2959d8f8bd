/** What test/tcp/found-by-simulation.test.ts and the tests of the tables hold. */
export default [
  {
    name: 'SACK blocks beyond what the link takes',
    file: 'tcp/transmit',
    find: 'const room = Math.min(path.mtu - path.headerLength - TCP_HEADER_LENGTH - payload, MAX_OPTIONS);',
    replace: 'const room = MAX_OPTIONS;',
  },
  {
    name: 'SACK blocks take all room for data',
    file: 'tcp/mss',
    find: 'return left >= LEAST_PAYLOAD ? left : connection.sndMss;',
    replace: 'return left;',
  },
  {
    name: 'a super-segment of less than one piece',
    file: 'tcp/transmit',
    find: 'return Math.max(Math.floor(room / size), 1) * size;',
    replace: 'return size >= room ? room : Math.floor(room / size) * size;',
  },
  {
    name: 'urgent pointer to nothing in probes',
    file: 'tcp/transmit',
    find: 'if (after(connection.sndUp, connection.sndUna) && after(connection.sndUp, seq)) {',
    replace: 'if (after(connection.sndUp, seq)) {',
  },
  {
    file: 'tcp/timeouts',
    name: 'R2 from tcp_rto_min_us',
    find: 'const limit = backedOffTime(LEAST_RTO,',
    replace: 'const limit = backedOffTime(config.tcp_rto_min_us / 1000,',
  },
  {
    name: 'uncork is lost when the windows are full',
    file: 'tcp/output',
    find: 'if (distance(connection.sndNxt, sendQueue.end) <= 0) connection.uncorked = false;',
    replace: 'connection.uncorked = false;',
  },
  {
    name: 'corked after the write: no timer',
    file: 'tcp/persist',
    find: 'if (!held(connection)) {',
    replace: 'if (!held(connection) || connection.settings.cork) {',
  },
  {
    name: 'a simultaneous open without SND.WND',
    file: 'tcp/arrives-syn-sent',
    find: 'connection.sndWnd = segment.window;',
    replace: '',
  },
  {
    name: 'a SYN,ACK that had not gone is not made up for',
    file: 'tcp/established',
    find: 'if (connection.synDue) connection.ackNow = true;',
    replace: '',
  },
  {
    name: 'a FIN that was cut off is not counted',
    file: 'tcp/sent-runs',
    find: 'this.#count(run.marks, run.pieces() + second.pieces() - before);',
    replace: '',
  },
  {
    name: 'users are not told of the end of the stack',
    file: 'stack/stack',
    find: 'if (this.#closed) return this.#tellReady();',
    replace: 'if (this.#closed) return;',
  },
  {
    name: 'overlapping ranges are given twice',
    file: 'tcp/reassembly',
    find: 'const skip = distance(run.seq, next);',
    replace: 'const skip = 0;',
  },
  {
    file: 'tcp/receive-window',
    name: 'the window is rounded up for ever',
    find: 'connection.receiveQueue.length + field * unit > (settings.rcvBuf >> 1) + unit',
    replace: 'false',
  },
  {
    name: 'a SYN,ACK takes window back',
    file: 'tcp/transmit',
    find: 'connection.rcvAdv = later(connection.rcvAdv, (connection.rcvNxt + window) | 0);',
    replace: 'connection.rcvAdv = (connection.rcvNxt + window) | 0;',
  },
];
