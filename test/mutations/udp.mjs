/** What test/rfc/{768,8085}, test/rfc/1122/udp, test/socket/datagram*, test/udp and test/net/udp* hold of UDP. */
const change = (file) => (name, find, replace) => ({ name, file, find, replace });
const input = change('stack/udp-input');
const table = change('stack/udp-table');
const errors = change('stack/udp-errors');
const read = change('udp/input');
const write = change('udp/output');
const queue = change('udp/queue');
const pool = change('udp/ring-pool');
const send = change('socket/datagram-send');
const socket = change('socket/datagram-socket');
const bind = change('socket/datagram-bind');
const message = change('socket/datagram-message');
const options = change('socket/datagram-options');
const conn = change('net/udp-conn');
const open = change('net/listen-packet');

export default [
  change('stack/ip-input')('UDP: switched off', 'return this.#stack.udp.arrives(from, packet, now);', 'return;'),
  read('UDP: no checksum is verified', 'if (packet.checksum !== CHECKSUM_NONE)', 'if (true)'),
  read('UDP: IPv6 without a checksum is taken', 'out.checksum === 0 && packet.family === 6', 'false'),
  read('UDP: IPv4 without a checksum is not', 'out.checksum === 0 && packet.family === 6', 'out.checksum === 0'),
  change('wire/udp')(
    'UDP: bytes behind the length belong to it',
    'claimed - UDP_HEADER_LENGTH;',
    'length - UDP_HEADER_LENGTH;',
  ),
  write('UDP: no checksum is made', 'packet.checksum = CHECKSUM_PARTIAL;', ''),
  write('UDP: the length is not in the checksum', 'fold(path.pseudoSum + total)', 'fold(path.pseudoSum)'),
  write('UDP: a payload has one place', 'this.#used = (this.#used + length + 7) & ~7;', ''),
  write('UDP: the chunk of payloads stays', 'rest() {\n        this.#chunk?.release();', 'rest() {'),
  input(
    'UDP: nobody is told of a port that is not there',
    "reportUnreachable(this.#stack, from, packet, 'port', now);",
    '',
  ),
  input('UDP: any source is believed', '!isOneHost(packet) || !this.#believable(from, packet)', 'false'),
  input(
    'UDP: a source of our own is believed',
    'return !network.hasAddress(packet.s0, packet.s1, packet.s2, packet.s3);',
    'return true;',
  ),
  input('UDP: what goes to all goes to one', 'if (!this.#isForOne(packet))', 'if (false)'),
  input(
    'UDP: the receive buffer has no bound',
    'endpoint.memory > 0 && endpoint.memory + memory > endpoint.rcvBuf',
    'false',
  ),
  input(
    'UDP: an empty queue refuses what is large',
    'endpoint.memory > 0 && endpoint.memory + memory',
    'endpoint.memory + memory',
  ),
  input('UDP: full buffers are not counted', 'counters.RcvbufErrors++;', ''),
  input(
    'UDP: nobody is told that there is a datagram',
    'queue.push(datagram, packet.chunk.bytes, header.payloadOffset);\n        this.#stack.tcp.markReady(endpoint);',
    'queue.push(datagram, packet.chunk.bytes, header.payloadOffset);',
  ),
  input('UDP: what waits for a link takes no room', 'waiting.size === 0 || over.waiting > 0', 'waiting.size === 0'),
  input('UDP: nobody is told that there is room', 'if (hasRoom)\n            this.writable();', ''),
  input(
    'UDP: a closed socket keeps its port',
    'if (endpoint.localPort !== 0)\n            this.table.remove(endpoint);',
    '',
  ),
  table('UDP: the first of equals gets it', 'list.unshift(endpoint);', 'list.push(endpoint);'),
  table('UDP: SO_REUSEPORT chooses one for all', 'return shared < 2 ?', 'return true ?'),
  table('UDP: peers do not count', 'score += 4;', ''),
  table('UDP: anybody is the peer', '|| !isAt(remote, ends.s0, ends.s1, ends.s2, ends.s3)', ''),
  table('UDP: the very address is no better', 'score + 16 : 0', 'score + 8 : 0'),
  table('UDP: AF_INET is no better', 'endpoint.family === 4 ? 1 : 0', '0'),
  table('UDP: IPV6_V6ONLY takes IPv4', 'local.family === 6 && !endpoint.v6Only', 'local.family === 6'),
  table(
    'UDP: SO_REUSEADDR of one is enough',
    'endpoint.reuseAddress && other.reuseAddress',
    'endpoint.reuseAddress || other.reuseAddress',
  ),
  table('UDP: ports follow each other', 'Math.floor(this.#random.float() * count)', '0'),
  table('UDP: a device is no bound', 'if (endpoint.device !== device && device !== ANY_DEVICE)', 'if (false)'),
  errors('UDP: soft errors are told', 'endpoint.remote !== undefined && error.hard', 'endpoint.remote !== undefined'),
  errors('UDP: errors are told without a peer', 'endpoint.remote !== undefined && error.hard', 'error.hard'),
  errors('UDP: what a router says is not learned', '?.tooLarge(mtu)', ''),
  errors('UDP: EMSGSIZE is not told', 'this.#fail(endpoint, REASON_TOO_LARGE);', ';'),
  errors(
    'UDP: IP_RECVERR keeps none',
    'if (asks(endpoint, ends))\n            return',
    'if (false)\n            return',
  ),
  queue('UDP: a ring does not wrap', 'if (this.#head < needed)\n            return false;', 'return false;'),
  queue('UDP: a wrap overwrites', 'if (this.#head < needed)', 'if (this.#head + 48 < needed)'),
  queue('UDP: an empty queue keeps its memory', 'if (--this.count === 0)\n            this.clear();', '--this.count;'),
  queue('UDP: the memory of a datagram is not given back', 'this.memory -= words[(at >> 2) + 1];', ''),
  pool('UDP: the pool has no bound', 'if (this.#kept + size > FREE_LIMIT)', 'if (false)'),
  send('UDP: SO_BROADCAST is not needed', '!settings.broadcast && network.isBroadcast(to)', 'false'),
  send(
    'UDP: the send buffer has no bound',
    'udp.flushed();\n    }\n    const { family } = path.destination;\n    if (endpoint.sending >= settings.sndBuf)',
    'udp.flushed();\n    }\n    const { family } = path.destination;\n    if (false)',
  ),
  send('UDP: what is too large goes', 'return total <= path.mtu || path.mayFragment;', 'return true;'),
  send(
    'UDP: the way is never looked for again',
    'socket.pathVersion === network.version && path.destination',
    'path.destination',
  ),
  send('UDP: every destination has the way of the first', 'path.destination.equals(to)', 'true'),
  send("UDP: the TTL is not the user's", 'path.ttl = settings.ttl;', ''),
  send("UDP: the TOS is not the user's", 'path.tos = four ? settings.tos', 'path.tos = four ? 0'),
  send(
    'UDP: link-local addresses need no zone',
    'zoned.isLinkLocal && (zoned.zone === 0',
    'false && (zoned.zone === 0',
  ),
  send('UDP: flows have labels of chance', 'path.flowLabel = udp.table', 'path.flowLabel || udp.table'),
  send('UDP: part of the fragments go', 'return fits() || egress.flush() || fits();', 'return true;'),
  send('UDP: IP_FREEBIND speaks from any address', '!settings.transparent && !network.isLocal(source)', 'false'),
  change('stack/routed-path')(
    'UDP: IP_PMTUDISC_PROBE believes routers',
    'return this.#isForProbes ? this.egress.mtu :',
    'return',
  ),
  socket('UDP: an error is told for ever', 'this.endpoint.error = 0;', ''),
  socket(
    'UDP: an error waits behind the datagrams',
    'if (error !== 0)\n            return -error;\n        return this.endpoint.queue',
    'return this.endpoint.queue',
  ),
  socket('UDP: disconnect keeps the address', 'endpoint.local = this.any;', ''),
  socket('UDP: disconnect keeps the port', 'if (!this.#portBound && endpoint.localPort !== 0)', 'if (false)'),
  socket('UDP: shutdown stops nothing', 'this.#writeShut ? -EPIPE :', 'false ? -EPIPE :'),
  bind('UDP: any address may be bound', 'network.isLocal(address) && !elsewhere ? address : -EADDRNOTAVAIL', 'address'),
  bind('UDP: no port is in the way', 'port === 0 || table.conflicts(endpoint, address, port)', 'port === 0'),
  message('UDP: MSG_PEEK takes', '(flags & MSG_PEEK) === 0', 'true'),
  message('UDP: MSG_TRUNC does not tell', '(flags & MSG_TRUNC) !== 0 ? length : copied', 'copied'),
  message('UDP: nobody hears that something is gone', 'flags: copied < length ? MSG_TRUNC : 0', 'flags: 0'),
  options('UDP: buffers are not doubled', 'bufferSize(value, rmem_max, MIN_RCVBUF)', 'value'),
  conn(
    'UDPConn: writeTo with a peer',
    'if (this.#remote !== undefined)\n            return failed',
    'if (false)\n            return failed',
  ),
  conn('UDPConn: deadlines do not count', 'if (queue.isExpired)', 'if (false)'),
  open('listenPacket: udp is IPv6 alone', "Number(network === 'udp6')", '1'),
  open('dial udp: the local address does not count', 'bindTo(net, socket, family, local, remote === undefined);', ''),
  open('dial udp: no SO_BROADCAST', 'socket.setsockopt(SOL_SOCKET, SO_BROADCAST, 1);', ''),
];
