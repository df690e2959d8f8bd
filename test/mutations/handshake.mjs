/** What test/rfc/4987 and test/packetdrill/syn-cookies hold of SYN queues and SYN cookies. */
const cookies = (name, find, replace) => ({ name, file: 'tcp/syn-cookies', find, replace });
const listener = (name, find, replace) => ({ name, file: 'tcp/listener', find, replace });
const arrives = (name, find, replace) => ({ name, file: 'tcp/listener-arrives', find, replace });
const embryo = (name, find, replace) => ({ name, file: 'tcp/embryo', find, replace });

export default [
  arrives('no SYN cookies', 'if (cookie) return sendCookie(embryo, now);', ''),
  arrives('SYN cookies always', 'config.tcp_syncookies === 2 || ', 'true || '),
  arrives('SYN cookies never answered', 'if (!cookieArrives(listener, segment, chunk, arrival, now))', 'if (true)'),
  arrives('an ACK is a cookie at any time', 'if (now - listener.cookieSentAt > COOKIE_VALID) return false;', ''),
  arrives('a cookie without timestamps takes up SACK', 'if (!embryo.timestampsOk) {', 'if (false) {'),
  arrives('a cookie brings back what is off', '(!embryo.sackOk || config.tcp_sack) &&', 'true ||'),
  arrives('tcp_max_syn_backlog means nothing', 'most - listener.embryos.size < most >> 2', 'false'),
  arrives('TCP_DEFER_ACCEPT means nothing', 'embryo.timeouts < listener.settings.deferAccept', 'false'),
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
  listener('old embryos are not pruned', 'waiting >= young; young *= 2) most--', 'waiting >= young; young *= 2)'),
  embryo('TCP_DEFER_ACCEPT goes on asking', 'if (timeouts < deferred - 1) return setSynAckTimer(embryo, now);', ''),
  embryo('SYN-ACKs back off beyond tcp_rto_max_ms', ', config.tcp_rto_max_ms)', ', Infinity)'),
];
