/** RFC 8021 4: atomic fragments are not generated, whatever a router says. */
import { expect } from 'chai';
import { checksum, sum } from '../../../src/wire/checksum.ts';
import { buildIp6, FragmentBench, pseudoSum6, readIp } from '../../support/wire-fragment.ts';

/** ICMPv6 packet too big, about a packet of the host's. */
function tooBig(mtu: number, quoted: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(8 + quoted.length);
  const view = new DataView(bytes.buffer);
  view.setUint8(0, 2);
  view.setUint32(4, mtu);
  bytes.set(quoted, 8);
  view.setUint16(2, checksum(sum(view, 0, bytes.length) + pseudoSum6('fd00::9', 'fd00::1', 58, bytes.length)));
  return buildIp6(bytes, { plain: true, source: 'fd00::9' });
}

describe('RFC 8021 4', () => {
  it('a packet too big that says less than 1280 makes no packet carry a Fragment header that needs none', () => {
    const t = new FragmentBench(6, { mtu: 1500 });
    const ping = t.ping(1000);
    t.send(t.piece(ping, 0, 1000, { plain: true }));
    t.send(tooBig(600, t.link.drain()[0]?.subarray(0, 1048) as Uint8Array));
    t.send(t.piece(ping, 0, 1000, { plain: true }));
    expect(t.link.sent.map((bytes) => readIp(bytes).isFragment)).to.deep.equal([false]);
    t.expectEcho(ping);
    t.close();
  });
});
