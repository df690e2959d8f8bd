/** What test/rfc/7413 and test/packetdrill/fastopen hold of Fast Open. */
const client = (name, find, replace) => ({ name: `Fast Open: ${name}`, file: 'tcp/fast-open-client', find, replace });
const server = (name, find, replace) => ({ name: `Fast Open: ${name}`, file: 'tcp/fast-open-server', find, replace });
const host = (name, find, replace) => ({ name: `Fast Open: ${name}`, file: 'tcp/fast-open-host', find, replace });
const at = (file, name, find, replace) => ({ name: `Fast Open: ${name}`, file, find, replace });

export default [
  client('no data in the SYN, ever', 'if (state.cookie !== undefined)\n        return true;', ''),
  client('no cookie is asked for', 'state.cookie = COOKIE_REQUEST;', ''),
  client('the experimental option is not tried', 'peer.tryExperimental === 1', 'false'),
  client('as much data as the path takes', '- OPTION_SPACE, 0)', ', 0)'),
  client("the server's MSS is not kept", 'peer.mss = segment.mss;', 'peer.mss = 0;'),
  client('the cookie is not kept', 'peer.experimental = segment.fastOpenExperimental;', 'peer.cookie = undefined;'),
  client('a cookie that nobody asked for is kept', 'if (!state.offered)\n        return;', ''),
  client('the SYN goes again with data', 'state.synData = true;', ''),
  client('the SYN goes again with its option', 'state.cookie = undefined;\n    if (length === 0)', 'if (length === 0)'),
  client('what was not acknowledged waits for the timer', 'recoverWithoutReduction(connection, now);', ''),
  client('acknowledged data is not told', 'state.synDataAcked = true;', ''),
  client('any cookie length will do', 'length >= COOKIE_LEAST && length <= COOKIE_MOST && (length & 1) === 0', 'true'),
  server('no SYN opens a connection', '{ opens: true, cookie: undefined, experimental }', 'NOTHING'),
  server('any cookie is valid', 'if (isCookie(view, offset, length, cookie))', 'if (true)'),
  server('the backup key is not looked at', 'if (backup !== undefined &&', 'if (false &&'),
  server(
    'a wrong cookie is not answered with the right one',
    'return { opens: false, cookie, experimental };\n}',
    'return NOTHING;\n}',
  ),
  server('no limit', 'if (queue.admits(now))', 'if (true)'),
  server('the bit of tcp_fastopen is not looked at', '(config.tcp_fastopen & SERVER_ENABLE) === 0 || ', ''),
  server('the SYN-ACK is sent once', 'repeatSyn(connection);\n    armRetransmission', 'armRetransmission'),
  server(
    'the data of the SYN is thrown away',
    'connection.receiveQueue.append(chunk, payloadOffset, payloadLength);',
    '',
  ),
  server('a RST frees the place at once', 'state.queue.leaveReset(now);', 'state.queue.leave();'),
  server('a RST of any number resets', 'if (seq !== connection.rcvNxt) {', 'if (false) {'),
  server(
    'the SYN that comes again is not answered',
    'answerAgain(connection, now);\n        return false;',
    'return false;',
  ),
  host('all peers are remembered', 'this.#peers.size > PEERS', 'false'),
  host('given up once, for good', 'this.#timesGivenUp = 0;\n    }\n    /** A change', '}\n    /** A change'),
  host('the time does not double', '2 ** Math.min(this.#timesGivenUp - 1, DOUBLINGS)', '1'),
  at('tcp/fast-open-blackhole', 'two timeouts are a sign', 'count === 2', 'count === 1'),
  at(
    'tcp/fast-open-blackhole',
    'a stray RST is none',
    'giveUp(connection, now);\n}\n/** The connection is over',
    '}\n/** The connection is over',
  ),
  at('tcp/fast-open-cookie', 'the address of the server is not in the cookie', '[client, server]', '[client]'),
  at('tcp/fast-open-queue', 'a reset is forgotten at once', 'RESET_HOLD = 60_000', 'RESET_HOLD = 0'),
  at(
    'tcp/output',
    'data waits for the handshake',
    'sendSyn(connection, now) && sendNew(connection, now) && sendAck',
    'sendSyn(connection, now) && sendAck',
  ),
  at(
    'tcp/output',
    'a shutdown does not wait',
    'connection.finQueued && connection.state !== SYN_RECEIVED',
    'connection.finQueued',
  ),
  at('tcp/sending-timer', "data sets the SYN-ACK's timer", 'if (connection.handshakeOpen)\n        return;', ''),
  at(
    'tcp/simple-retransmit',
    'the SYN waits for its timer when the data did not fit',
    'if (!opening)\n        return;',
    'return;',
  ),
  at('tcp/icmp-error', 'ICMP ends a connection that was accepted', ' && !taken', ''),
  at('tcp/arrives-syn-sent', 'the ACK of the SYN-ACK waits for nobody', 'if (!waitForData(connection, now))', ''),
];
