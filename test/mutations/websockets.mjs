/** Rules of streams, connect() and sockets' options, each broken in one way. See scripts/mutate.mjs. */
export default [
  {
    file: 'net/conn-streams',
    name: 'a write that fails takes what had arrived with it',
    find: 'if (this.#readEnded || (isOver && conn.unread === 0)) this.#over(reason);',
    replace: 'if (true) this.#over(reason);',
  },
  {
    file: 'net/conn-streams',
    name: 'a stream that was cut short passes for the whole',
    find: 'if (this.#failure !== undefined && !isBrokenPipe(reason)) return this.#over(reason);',
    replace: '',
  },
  {
    file: 'net/conn-streams',
    name: 'a reader that has let go still takes what comes',
    find: 'const isWanted = () => this.readable.locked;',
    replace: 'const isWanted = () => true;',
  },
  {
    file: 'net/conn-streams',
    name: "the peer's FIN ends what is still to be written",
    find: 'if (this.#chunks === 0) await this.#followFin();',
    replace: 'await this.#followFin();',
  },
  {
    file: 'net/operations',
    name: 'a write goes on with bytes that are gone',
    find: 'this.#resolve !== undefined && lengthOf(this.#list) !== this.#total - this.#written',
    replace: 'false',
  },
  {
    file: 'net/operations',
    name: 'a read into a buffer that is gone is the end of the stream',
    find: "if (into.length === 0) throw new TypeError('the buffer was transferred or emptied while the read waited');",
    replace: '',
  },
  {
    file: 'web/connect',
    name: 'close leaves the dialling going',
    find: 'dialling.abort();',
    replace: '',
  },
  {
    file: 'web/connect',
    name: 'startTls leaves the plain socket open',
    find: 'this.#replaced.resolve();',
    replace: '',
  },
  {
    file: 'web/websocket',
    name: 'a socket that is closed already is waited for',
    find: "if (socket.readyState === CLOSED) duplex.emit('close');",
    replace: '',
  },
  {
    file: 'tcp/segment-text',
    name: 'fewer bytes than SO_RCVLOWAT wake the reader',
    find: 'if (isEnough(connection)) connection.context.markReady(connection);',
    replace: 'connection.context.markReady(connection);',
  },
  {
    file: 'socket/receiving',
    name: 'the urgent byte outlives a reset',
    find: 'if (isLost) return -ENOTCONN;',
    replace: '',
  },
  {
    file: 'socket/outcome',
    name: 'connect tells what a connection ended with',
    find: 'if (this.connected) return -EISCONN;\n    const error',
    replace: 'const error',
  },
  {
    file: 'tcp/timeouts',
    name: 'TCP_THIN_LINEAR_TIMEOUTS never backs off',
    find: ' && retransmits <= THIN_LINEAR_RETRIES',
    replace: '',
  },
  {
    file: 'tcp/timeouts',
    name: 'TCP_THIN_LINEAR_TIMEOUTS does nothing',
    find: 'if (isLinear(connection)) connection.backoff = 0;\n  else connection.backoff++;',
    replace: 'connection.backoff++;',
  },
  {
    file: 'socket/datagram-send',
    name: 'IPV6_MTU does nothing',
    find: 'path.limit = (!four && settings.mtu) || MOST;',
    replace: '',
  },
];
