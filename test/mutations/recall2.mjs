/** What received packets take of the memory that SO_RCVBUF bounds. */
const memory = (name, find, replace = '') => ({ file: 'tcp/receive-memory', name, find, replace });

export default [
  memory('a packet takes what its payload does', 'const size = this.#size;', 'const size = count;'),
  memory('every packet has the header of IPv4', 'this.#networkHeader = networkHeader;', 'this.#networkHeader = 20;'),
  memory('memory is free as soon as bytes are read', 'if (unread > left) {', 'this.used -= left; if (unread > left) {'),
  memory('what came out of order takes no memory', 'this.#strays += size;', 'this.used -= size;'),
  {
    file: 'tcp/delayed-ack',
    name: 'the share of payload is not measured',
    find: 'if (payload !== connection.seenMss) measureShare(connection, segment);',
    replace: '',
  },
  {
    file: 'tcp/segment-text',
    name: 'what waits behind a hole does not let the buffer grow',
    find: 'space.reordered(connection);',
    replace: ';',
  },
  {
    file: 'tcp/segment-text',
    name: 'a FIN for a full buffer waits to be acknowledged',
    find: '&& !makeRoom(connection, 0)) answer(connection, now);',
    replace: '&& false) answer(connection, now);',
  },
];
