/** What the end of the host means to sockets of TCP, IP_RECVERR on them, and how they are listed: each rule broken once. */
export default [
  {
    file: 'stack/connections',
    name: 'listeners are not told that the host is closed',
    find: 'listener.end(now);',
    replace: 'listener.close(now);',
  },
  {
    file: 'socket/socket',
    name: 'accept of a closed host waits for ever',
    find: 'return this.#listener.closed ? -ENETDOWN : -EAGAIN;',
    replace: 'return -EAGAIN;',
  },
  {
    file: 'socket/make-connection',
    name: 'a closed host connects',
    find: 'if (stack.closed) return -ENETDOWN;',
    replace: '',
  },
  {
    file: 'socket/make-binding',
    name: 'a closed host gives ports',
    find: 'if (stack.closed) return -ENETDOWN;',
    replace: '',
  },
  {
    file: 'socket/outcome',
    name: 'MSG_ERRQUEUE leaves the error to the next call',
    find: 'this.take(connection);\n        return messageOf',
    replace: 'return messageOf',
  },
  {
    file: 'socket/outcome',
    name: 'a report is no POLLERR',
    find: 'return this.pending(connection) !== 0 || (this.reports !== undefined && this.reports.length > 0);',
    replace: 'return this.pending(connection) !== 0;',
  },
  {
    file: 'socket/error-queue',
    name: 'a quotation that is cut is not said to be',
    find: '(length < quoted.length ? MSG_TRUNC : 0)',
    replace: '0',
  },
  {
    file: 'tcp/icmp-error',
    name: 'IP_RECVERR does nothing for a connection',
    find: 'if (connection.local.family === 4 ? tellsErrors : tellsErrors6) {',
    replace: 'if (false) {',
  },
  {
    file: 'tcp/icmp-error',
    name: 'of IPv6 all reports are kept',
    find: 'if (local.family === 4 || settings.rare.tellsErrors6)',
    replace: 'if (true)',
  },
  {
    file: 'socket/socket',
    name: 'IP_RECVERR that is off forgets nothing',
    find: 'this.#outcome.reports = undefined;',
    replace: '',
  },
  {
    file: 'stack/connections',
    name: 'a FIN is not in the send queue that is listed',
    find: 'distance(entry.sndUna, entry.sendEnd)',
    replace: 'entry.sendQueue.length',
  },
  {
    file: 'stack/connections',
    name: 'no connection has a timer that is listed',
    find: "timer('on', connection.timerAt(RETRANSMISSION), retransmits, now) ??",
    replace: '',
  },
  {
    file: 'stack/connections',
    name: 'TIME-WAIT is listed without its timer',
    find: 'if (entry.kind !== KIND_EMBRYO)',
    replace: 'if (entry.kind !== KIND_EMBRYO) return undefined; if (false)',
  },
];
