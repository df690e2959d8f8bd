/** The raw link's rules that need no kernel: which packets a socket is given, and what is made of them; and what is signed. */
const of = (file, prefix) => (name, find, replace) => ({
  name: `${prefix}: ${name}`,
  file: `link/${file}`,
  find,
  replace,
});
const filter = of('raw-filter', 'raw filter');
const inbox = of('raw-inbox', 'raw packets');
const ports = of('raw-ports', 'raw ports');

export default [
  filter(
    'any address',
    'if (address.family === 4) return [load(LD_W, 16), mustEqual(address.w3)];',
    'if (address.family === 4) return [];',
  ),
  filter('options are not passed over', '[load(LDX_HEADER, 0), load(LD_H_X, 2)]', '[load(LD_H, 22)]'),
  filter('the last port is not in its range', '{ code: JUMP_GREATER, k: last,', '{ code: JUMP_GREATER, k: last - 1,'),
  filter(
    'the first port is not in its range',
    '{ code: JUMP_GREATER_EQUAL, k: first,',
    '{ code: JUMP_GREATER_EQUAL, k: first + 1,',
  ),
  filter('errors about what anybody sent', '    mustEqual(address.w3),\n    // The length', '    // The length'),
  filter('echo requests are errors', '{ code: JUMP_GREATER, k: 4, ifTrue:', '{ code: JUMP_GREATER, k: 255, ifTrue:'),
  filter('a quoted header has 20 bytes', 'load(AND, 0xf)', 'load(AND, 0x5)'),
  inbox(
    'partial checksums are not known',
    'return fold(sum(view, addresses, 8) + protocol',
    'return false && fold(sum(view, addresses, 8) + protocol',
  ),
  inbox('all are vouched for', '? CHECKSUM_VALIDATED : CHECKSUM_NONE', '? CHECKSUM_VALIDATED : CHECKSUM_VALIDATED'),
  inbox('pieces are not told', 'packet.segmentSize = mtu - transport - header;', ''),
  inbox('ECN is agreed on', 'if (protocol === TCP) refuseEcn(bytes, transport);', ''),
  inbox('ECN flags go from all segments', 'if ((flags & SYN) === 0) return;', ''),
  inbox('Accurate ECN is agreed on', '& ~AE', '& ~0'),
  ports('neighbours stay apart', 'range.first <= before.last + 1', 'range.first <= before.last'),
  ports('a range within another shortens it', 'Math.max(before.last, range.last)', 'range.last'),
  { name: 'signer: a zone is signed', file: 'tcp/signer', find: 'address.bareW0', replace: 'address.w0' },
];
