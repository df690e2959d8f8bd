/** What makes it fast must not make it wrong: shortcuts and tables, each broken in one way. See scripts/mutate.mjs. */
export default [
  {
    file: 'tcp/segment-text',
    name: "the receiver's round trip is measured behind the segment, when something is unread",
    find: 'measureEcho(connection, connection.receiveSpace, segment, now); memory.take(segment, length); connection.receiveQueue.append(chunk, offset, length);',
    replace:
      'memory.take(segment, length); connection.receiveQueue.append(chunk, offset, length); measureEcho(connection, connection.receiveSpace, segment, now);',
  },
  {
    file: 'wire/checksum',
    name: 'a sum in the wrong order of bytes',
    find: 'return initial + swap(fold(even + odd));',
    replace: 'return initial + fold(even + odd);',
  },
  { file: 'wire/siphash', name: 'the length is not hashed', find: 'word = (count * 4) << 24;', replace: 'word = 0;' },
  {
    file: 'tcp/congestion/cubic',
    name: 'connections share what CUBIC knows',
    find: 'connection.congestion = cubic;',
    replace: '',
  },
  {
    file: 'stack/udp-index',
    name: 'who is connected to all ports is looked for at one',
    find: 'remote !== undefined && remotePort === 0',
    replace: 'false',
  },
  {
    file: 'stack/udp-table',
    name: 'who connects keeps his place among the endpoints of a port',
    find: 'changed(endpoint) { this.#indexes.delete(endpoint.localPort); }',
    replace: 'changed(endpoint) { }',
  },
  {
    file: 'stack/demux',
    name: 'a listener for all addresses does not stand in where there is one for some',
    find: 'return best ?? this.#best(listeners.anywhere, packet, port, remotePort, device);',
    replace: 'return at === undefined ? this.#best(listeners.anywhere, packet, port, remotePort, device) : best;',
  },
  {
    file: 'stack/routes',
    name: 'a route that goes stays in the index',
    find: 'this.#routes.splice(at, 1); this.#networks = undefined;',
    replace: 'this.#routes.splice(at, 1);',
  },
  {
    file: 'stack/routes',
    name: 'networks are looked up by the whole address',
    find: 'return bits >= 32 ? -1 : ~(-1 >>> bits);',
    replace: 'return -1;',
  },
  {
    file: 'stack/own-addresses',
    name: 'networks of IPv4 without a broadcast address',
    find: 'this.#broadcasts.add(',
    replace: 'void (',
  },
  {
    file: 'node/net/callable',
    name: 'the proxy makes the objects, each of a kind of its own',
    find: 'newTarget === made ? target : newTarget',
    replace: 'newTarget',
  },
];
