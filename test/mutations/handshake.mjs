/** What test/rfc/{1337,4987,6191} and test/packetdrill/{syn-cookies,handshake,close,time-wait} hold of openings and closings. */
const cookies = (name, find, replace) => ({ name, file: 'tcp/syn-cookies', find, replace });
const listener = (name, find, replace) => ({ name, file: 'tcp/listener', find, replace });
const arrives = (name, find, replace) => ({ name, file: 'tcp/listener-arrives', find, replace });
const timeWait = (name, find, replace) => ({ name, file: 'tcp/time-wait', find, replace });
const embryo = (name, find, replace) => ({ name, file: 'tcp/embryo', find, replace });

export default [
  arrives('no SYN cookies', 'if (cookie) return sendCookie(embryo, segment, now);', ''),
  arrives('SYN cookies always', 'config.tcp_syncookies === 2 || ', 'true || '),
  arrives('SYN cookies never answered', 'if (!cookieArrives(listener, segment, chunk, arrival, now))', 'if (true)'),
  arrives('an ACK is a cookie at any time', 'if (now - listener.cookieSentAt > COOKIE_VALID) return false;', ''),
  arrives('a cookie without timestamps takes up SACK', 'if (!embryo.timestampsOk) {', 'if (false) {'),
  arrives('a cookie brings back what is off', '(!embryo.sackOk || config.tcp_sack) &&', 'true ||'),
  arrives('tcp_max_syn_backlog means nothing', 'most - listener.embryos.size < most >> 2', 'false'),
  arrives('TCP_DEFER_ACCEPT means nothing', 'embryo.timeouts < listener.settings.rare.deferAccept', 'false'),
  arrives(
    'any TSecr opens an embryo',
    'const foreign = stamped && segment.tsEcr !== 0 && !echoes',
    'const foreign = false && echoes',
  ),
  cookies('cookies of any age', 'if (age >= MAX_AGE) return 0;', ''),
  cookies('cookies without a key', 'sipHash24(this.#keys[key], words', 'sipHash24(new Int32Array(4), words'),
  cookies('a cookie rounds the MSS up', 'while (index > 0 &&', 'while (index > 3 &&'),
  cookies("a cookie's stamp lies ahead", 'options > low ? 1 << OPTION_BITS : 0', '0'),
  cookies('a cookie forgets SACK', '| (sack ? SACK_BIT : 0)', ''),
  listener('a SYN queue without bounds', 'return this.embryos.size > this.backlog;', 'return false;'),
  listener('old embryos are not pruned', 'waiting >= young; young *= 2) most--', 'false; ) most--'),
  embryo('TCP_DEFER_ACCEPT goes on asking', 'if (timeouts < deferred - 1) return setSynAckTimer(embryo, now);', ''),
  embryo('SYN-ACKs back off beyond tcp_rto_max_ms', ', embryo.listener.settings.rtoMax)', ', Infinity)'),
  timeWait('tcp_tw_reuse is always 1', 'if (record.finWait2 || mode === 0) return false;', ''),
  timeWait('tcp_tw_reuse 2 is 1', 'mode === 2 &&', 'false &&'),
  timeWait('tcp_tw_reuse without timestamps', 'if (!record.timestampsOk) return false;', ''),
  timeWait('tcp_tw_reuse_delay means nothing', 'record.enteredAt > delay', 'record.enteredAt >= 0'),
  timeWait('tcp_rfc1337 means nothing', 'else if (!context.config.tcp_rfc1337)', 'else'),
  timeWait('tcp_max_tw_buckets means nothing', 'context.timeWaits >= context.config.tcp_max_tw_buckets', 'false'),
  timeWait('a SYN with an old timestamp is a new one', 'if (listened && !old &&', 'if (listened &&'),
  timeWait('FIN-WAIT-2 as a record takes data for a FIN', 'if ((flags & FIN) === 0 || end', 'if (end'),
  {
    name: 'a connection that takes the place of a TIME-WAIT starts anywhere',
    file: 'tcp/calls',
    find: 'connection.iss = issAfter(old);',
    replace: 'connection.iss = 7;',
  },
  { name: 'its SYN echoes nothing', file: 'tcp/calls', find: 'connection.tsRecent = old.tsRecent;', replace: '' },
  {
    name: 'tcp_max_orphans means nothing',
    file: 'tcp/calls',
    find: 'context.orphans > context.config.tcp_max_orphans',
    replace: 'false',
  },
  {
    name: 'FIN-WAIT-2 without a user ends within an RTO',
    file: 'tcp/fin-wait-2',
    find: ', (LEAST_RTOS * rtoUs) / 1000',
    replace: '',
  },
  {
    name: 'tcp_fin_timeout is at most TIME-WAIT',
    file: 'tcp/fin-wait-2',
    find: 'if (wait > longest)',
    replace: 'if (false)',
  },
  {
    name: 'a FIN beyond a hole is not SACKed',
    file: 'tcp/sack',
    find: 'return connection.finSeqKnown && !connection.finReceived;',
    replace: 'return false;',
  },
  {
    name: 'a FIN beyond a hole after close waits',
    file: 'tcp/segment-text',
    find: 'if (nobodyReads(connection)) {',
    replace: 'if (false) {',
  },
  {
    name: 'a SYN-ACK that echoes an old SYN opens',
    file: 'tcp/arrives-syn-sent',
    find: 'if (hasAck && !echoesOurSyn(connection, segment, now)) {',
    replace: 'if (false) {',
  },
  {
    name: 'the SYN-ACK of a simultaneous open offers less',
    file: 'tcp/transmit',
    find: '&& !connection.handshakeOpen) offerAll(connection);',
    replace: '&& false) offerAll(connection);',
  },
  {
    name: 'TCP_DEFER_ACCEPT of a client means nothing',
    file: 'tcp/arrives-syn-sent',
    find: '|| connection.settings.rare.deferAccept > 0',
    replace: '',
  },
  {
    name: 'the window of a SYN-ACK forgets timestamps',
    file: 'tcp/listener-arrives',
    find: '(embryo.timestampsOk ? TIMESTAMPS_LENGTH : 0)',
    replace: '0',
  },
  {
    name: 'a RST in SYN-RECEIVED must acknowledge',
    file: 'tcp/listener-arrives',
    find: '(flags & (ACK | RST)) === ACK &&',
    replace: '(flags & ACK) !== 0 &&',
  },
  {
    name: 'data with a FIN is acknowledged at once',
    file: 'tcp/segment-text',
    find: 'if (last && !due && connection.state === ESTABLISHED) connection.ackNow = false;',
    replace: '',
  },
  {
    name: 'a FIN that comes again is no duplicate',
    file: 'tcp/segment-text',
    find: 'if (before(fin, connection.rcvNxt)) noteDuplicate(connection, segment.seq, (fin + 1) | 0);',
    replace: '',
  },
  { name: 'ABORT in LAST-ACK resets', file: 'tcp/release', find: '(finSent ? CLOSING | LAST_ACK : 0)', replace: '0' },
];
