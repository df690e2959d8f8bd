/** Found by playing random scripts on the kernel and on the stack. */
const text = (name, find, replace = '') => ({ file: 'tcp/segment-text', name, find, replace });

export default [
  text(
    'duplicates behind a FIN are not answered',
    'return duplicateText(connection, segment.seq, end, now);',
    'return true;',
  ),
  text(
    'a FIN behind old text is answered twice',
    'return endsWithFin(connection, segment) || duplicateText',
    'return duplicateText',
  ),
  text('a FIN that fills a hole is acknowledged at once', 'if (filled && !last) {', 'if (filled) {'),
  text(
    'a FIN that waited is taken twice',
    'if (!last) takeWaitingFin(connection, now);',
    'takeWaitingFin(connection, now);',
  ),
  text('duplicates are reported with a FIN', 'connection.sackReport = undefined;'),
  text('a FIN again is no part of the duplicate', 'sackReport.duplicateRight = (fin + 1) | 0;', ';'),
  text(
    'a duplicate brings two quick acknowledgments',
    'noteDuplicate(connection, seq, end); enterQuickAck(connection, MAX_QUICK_ACKS);',
    'noteDuplicate(connection, seq, end); enterQuickAck(connection, 2);',
  ),
  text('what is out of order is not measured', 'measureSegment(connection, segment);'),
  {
    file: 'tcp/arrives',
    name: 'a duplicate outside of the window brings two quick acknowledgments',
    find: 'enterQuickAck(connection, MAX_QUICK_ACKS);',
    replace: 'enterQuickAck(connection, 2);',
  },
  {
    file: 'tcp/arrives',
    name: 'a discarded segment leaves its timestamp',
    find: 'if (after(segment.ack, connection.sndNxt)) return;',
    replace: '',
  },
  {
    file: 'tcp/sack',
    name: 'a range has a place for each segment',
    find: '|| (beforeOrAt(left, each) && beforeOrAt(each, right))',
    replace: '',
  },
  {
    file: 'tcp/sack',
    name: 'ranges that are gone keep their places',
    find: 'beforeOrAt(each, rcvNxt) || ',
    replace: '',
  },
  { file: 'tcp/receive-window', name: 'a set buffer grows', find: 'locked ? settings.rcvBuf >> 1 : ', replace: '' },
  {
    file: 'tcp/transmit',
    name: 'quick acknowledgments count that nobody waits for',
    find: 'connection.quickAcks > 0 && (connection.ackNow || connection.ackDelayed)',
    replace: 'connection.quickAcks > 0',
  },
  {
    file: 'tcp/acknowledge',
    name: 'what came before the first number is a good ACK',
    find: 'Math.min(connection.maxSndWnd, acknowledgedYet(connection))',
    replace: 'connection.maxSndWnd',
  },
  {
    file: 'socket/socket',
    name: 'errors behind a FIN',
    find: 'if (connection.finReceived && !this.#outcome.disconnected) return 0;',
    replace: '',
  },
  {
    file: 'socket/socket',
    name: 'nobody is told that a socket was disconnected',
    find: 'if (this.#outcome.disconnected) return -ENOTCONN;',
    replace: '',
  },
  {
    file: 'socket/socket',
    name: 'a shutdown has not seen the connection',
    find: 'if (!connection.opening) this.#outcome.connected = true;',
    replace: '',
  },
  {
    file: 'tcp/nagle',
    name: 'what is gathered fills the window',
    find: 'if (length > connection.sndMss && gathers(connection) && !connection.uncorked) return false;',
    replace: '',
  },
];
