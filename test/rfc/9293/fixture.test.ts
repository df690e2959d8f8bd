/** The fixture of the clause tests itself: what it lets through and what it refuses. */
import { expect } from 'chai';
import { SO_ERROR, SOL_SOCKET } from '../../../src/socket/constants.ts';
import { EHOSTUNREACH } from '../../../src/socket/errno.ts';
import { inFamily } from '../../support/wire-family.ts';
import { setMd5Key } from '../../support/wire-keys.ts';
import { connecting, established } from '../../support/wire-peer.ts';

describe('wire-peer', () => {
  const WAYS = [false, true].flatMap((active) => (['4', '6', 'mapped'] as const).map((family) => ({ active, family })));

  for (const { active, family } of WAYS) {
    it(`data both ways, with the DUT ${active ? 'active' : 'passive'}, family ${family}`, async () => {
      const t = await established({ active, family });
      expect(t.state()).to.equal('ESTABLISHED');
      t.inject({ seq: 1, ack: 1, flags: 'PA', data: 'ping' });
      expect(t.read()).to.equal('ping');
      t.expect({ seq: 1, ack: 5, flags: 'A', length: 0 });
      t.write('pong');
      t.expect({ seq: 1, ack: 5, flags: 'PA', data: 'pong' });
      t.expectNothing();
      t.inject({ ack: 5 });
      t.expectNothing();
    });
  }

  it('IPv6: a segment of the same size in a larger packet, an error of ICMPv6, a wrong checksum', async () => {
    const t = await established({
      family: '6',
      md5: 'key',
      setup: (socket) => void setMd5Key(socket, 'key', inFamily('10.0.0.2', '6')),
    });
    t.write(3000);
    const { bytes } = t.expect({ length: 1440 });
    expect(bytes.length).to.equal(1500);
    t.injectIcmp({ type: 3, code: 1, body: bytes.slice(0, 28) });
    expect(t.socket.getsockopt(SOL_SOCKET, SO_ERROR)).to.equal(EHOSTUNREACH);
    t.inject({ seq: 1, data: 'x', badChecksum: true });
    expect(t.counters.InCsumErrors).to.equal(1);
    t.inject({ seq: 1, data: 'x', md5: 'another' });
    expect(t.counters.TCPMD5Failure).to.equal(1);
  });

  it('timestamps, SACK and window scaling read as small numbers', async () => {
    const t = await established({ options: { mss: 1000, sackOk: true, ts: [5000, 0], wscale: 2 }, isn: 7 });
    await t.advance(50);
    t.inject({ seq: 1001, length: 1000 });
    t.expect({ ack: 1, options: { sack: [[1001, 2001]], ts: [1050, 5000] } });
    t.inject({ seq: 1, length: 1000 });
    t.expect({ ack: 2001, options: { sack: undefined, ts: [1050, 5050] } });
    t.inject({ seq: 2001, length: 0, options: { ts: [5060, 1050] } });
    t.expectNothing();
  });

  it('says what came instead, with the ladder', () => {
    const t = connecting({ active: true });
    t.inject({ seq: 0, ack: 1, flags: 'SA', options: { mss: 1460 } });
    expect(() => t.expect({ flags: 'R' })).to.throw(
      /another segment: {"flags":"A"}, not {"flags":"R"}[\s\S]*time \(ms\) DUT/,
    );
    expect(() => t.expect()).to.throw(/sent nothing/);
    t.write('too many');
    expect(() => t.expectNothing()).to.throw(/1 packet\(s\) too many/);
  });
});
