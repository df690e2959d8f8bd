/** TCP-MD5 and TCP-AO: what test/rfc/2385, 5925, 5926 and test/socket/key-options.test.ts hold of them. */
const at = (file) => (name, find, replace) => ({ name, file, find, replace });
const input = at('stack/tcp-input');
const inbound = at('tcp/inbound-signature');
const md5 = at('tcp/md5');
const ao = at('tcp/ao');
const aoKeys = at('tcp/ao-keys');
const keys = at('tcp/segment-keys');
const options = at('socket/ao-options');

export default [
  input('signatures of connections are not looked at', 'if (signed && this.#refuses(entry, packet, now)) return;', ''),
  input(
    'an unsigned segment is not looked at',
    'const signed = entry.signer !== undefined || ',
    'const signed = false || ',
  ),
  input('a signed segment without a key goes on', '|| (segment.optionBits & OPT_SIGNED) !== 0;', ';'),
  input(
    'signatures of SYNs are not looked at',
    'if (iss === undefined && this.#refusesFor(listener, packet, source, arrival.local, now)) return;',
    '',
  ),
  input('TIME-WAIT takes anything', 'if (refused || !timeWaitArrives', 'if (!timeWaitArrives'),
  input(
    'TIME-WAIT judges a new SYN by the old key',
    'const begins = listens && ',
    'const begins = false && listens && ',
  ),
  input(
    'resets for strangers are not signed',
    "if (signer !== 'none') replyReset(tcp, replyPath, segment, signer);",
    'replyReset(tcp, replyPath, segment);',
  ),
  inbound(
    'two signatures are taken for one',
    'if ((bits & OPT_SIGNATURE_BROKEN) !== 0) return BROKEN;\n  const hasAo',
    'const hasAo',
  ),
  inbound('a handshake may change its mind', 'entry.kind === KIND_EMBRYO && hasAo', 'false && hasAo'),
  inbound(
    'MD5 digests are not compared',
    'remote, segment, chunk)) return undefined;\n  counters.TCPMD5Failure',
    'remote, segment, chunk) || true) return undefined;\n  counters.TCPMD5Failure',
  ),
  inbound(
    'any MD5 key is good for a reset',
    "if (!md5Verifies(context.hasher, key, local, remote, segment, chunk)) return 'none';",
    '',
  ),
  inbound(
    'a change of keys leaves the MSS',
    'signer.length !== length) syncMss(entry)',
    'signer.length !== length) void 0',
  ),
  inbound('ICMP counts whatever TCP-AO says', 'signer.info.acceptIcmps) return', 'true) return'),
  inbound('accept_icmps means nothing', 'signer.info.acceptIcmps) return', 'false) return'),
  inbound(
    'ICMP does not count while connecting',
    'if (entry.kind === KIND_CONNECTION && (entry.state',
    'if (false && (entry.state',
  ),
  md5('the digest leaves the data out', '...payload, key]', 'key]'),
  md5('the digest covers the options', 'header.subarray(0, TCP_HEADER_LENGTH)', 'header'),
  md5('a SYN with MD5 has timestamps', 'leavesTimestamps = false', 'leavesTimestamps = true'),
  ao('a SYN has the keys of other segments', '(SYN | ACK)) === SYN;', '(SYN | ACK)) === -1;'),
  ao('the MAC leaves the data out', '...headers, ...payload]', '...headers]'),
  ao('TCP_AO_KEYF_EXCLUDE_OPT means nothing', 'key.excludeOptions ?', 'false ?'),
  ao('our sequence number extension stays 0', 'this.#sndSne = (this.#sndSne + 1) | 0', 'this.#sndSne = 0'),
  ao("the peer's sequence number extension stays 0", 'this.#rcvSne = (this.#rcvSne + 1) | 0', 'this.#rcvSne = 0'),
  ao('the extension of what lies before the turn', 'return a > b ? (sne - 1) | 0 : sne;', 'return sne;'),
  ao('the extension of what lies behind the turn', 'return a < b ? (sne + 1) | 0 : sne;', 'return sne;'),
  ao('RNextKeyID is not followed', 'if (wanted !== undefined) choice.currentKey = wanted;', ''),
  ao('a MAC may be of any length', 'segment.aoLength !== key.macLength || ', ''),
  ao('MACs are not compared', '!this.#verifies(key, segment, chunk)', '(this.#verifies(key, segment, chunk), false)'),
  ao(
    'a SYN-ACK is verified with the keys of a SYN',
    'if ((segment.flags & (SYN | RST)) !== 0) this.#guess(segment.seq);',
    '',
  ),
  ao('the option is not padded', 'at < offset + currentKey.optionLength', 'at < offset'),
  aoKeys('keys of other lengths are not derived', 'key.length === 16 ? key :', 'key.length > 0 ? key :'),
  aoKeys(
    'an accepted connection has the keys of all peers',
    'if (key.matches(remote, 128, -1, -1)) copy.keys',
    'copy.keys',
  ),
  keys('the longest prefix does not count', '(best === undefined || one.prefix > best.prefix)', 'true'),
  keys(
    'a SYN-ACK is signed with any key',
    'segment.aoRnextKeyId, -1);\n  const rnextKey = ao?',
    '-1, -1);\n  const rnextKey = ao?',
  ),
  keys('an accepted connection has no key', 'own.md5.push', 'void own.md5.concat'),
  keys(
    'a key that is set on a connection waits',
    'connection.signer = md5Signer(connection, connection.settings.keys?.md5For(connection.remote));',
    '',
  ),
  at('tcp/transmit')('nothing that a connection sends is signed', 'connection.signer?.sign(packet);', ''),
  at('tcp/transmit')('what is signed is cut', 'if (connection.signer !== undefined) return size;', ''),
  at('tcp/reply')('answers without a connection are not signed', 'signer?.sign(packet);', ''),
  at('tcp/embryo')('SYN-ACKs are not signed', 'embryo.signer?.sign(packet);', ''),
  at('tcp/mss')('the signature takes no room of the data', '(signer === undefined ? 0 : signer.length)', '0'),
  at('tcp/sack')(
    'SACK has no regard for the signature',
    'return signer === undefined ? most',
    'return signer !== null ? most',
  ),
  at('tcp/listener-arrives')(
    'a SYN-ACK has timestamps beside SACK',
    '!== 0 && embryo.sackOk) embryo.timestampsOk = false',
    '!== 0 && embryo.sackOk) void 0',
  ),
  at('tcp/listener-arrives')('a cookie loses its timestamps', 'cookie ? OPT_AO : OPT_AO | OPT_MD5', 'OPT_AO | OPT_MD5'),
  at('tcp/time-wait')('TIME-WAIT does not sign', 'this.signer = connection.signer;', 'this.signer = undefined;'),
  at('wire/tcp-options')(
    'a second signature is not noticed',
    '(out.optionBits & OPT_SIGNED) === 0 ? 0 :',
    'true ? 0 :',
  ),
  at('socket/key-options')(
    'connect does not mind keys of both kinds',
    'if (hasMd5 && (hasKey || keys.ao.required)) return -EKEYREJECTED;',
    '',
  ),
  at('socket/key-options')(
    'connect does without a key of TCP-AO',
    'return hasKey || hasMd5 ? 0 : -EKEYREJECTED;',
    'return 0;',
  ),
  at('socket/md5-options')(
    'MD5 beside TCP-AO',
    'if (key.length > 0 && settings.keys?.ao?.requires(address)) return -EKEYREJECTED;',
    '',
  ),
  options('TCP-AO beside MD5', 'if (settings.keys?.md5For(addr) !== undefined) return -EKEYREJECTED;', ''),
  options('IDs may overlap', 'if (info.keys.some(overlaps)) return -EEXIST;', ''),
  options('a MAC may fill the header', 'if (added.optionLength > SYN_ROOM) return -EMSGSIZE;', ''),
  options('TCP-AO begins in the middle', 'if (open && settings.keys?.ao === undefined) return -EISCONN;', ''),
  options('a key in use may go', 'if (info.currentKey === key || info.rnextKey === key) return -EBUSY;', ''),
];
