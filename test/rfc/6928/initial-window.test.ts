/** RFC 6928 2, RFC 5681 3.1: how much may go out at first. */
import { expect } from 'chai';
import { info, seqs } from '../../support/wire-info.ts';
import { connecting, established, listening } from '../../support/wire-peer.ts';

describe('RFC 6928 2: the initial window', () => {
  for (const active of [false, true]) {
    it(`is ten segments (${active ? 'active' : 'passive'} open)`, async () => {
      const t = await established({ active });
      t.write(20 * 1460);
      const sent = t.drain();
      expect(seqs(sent)).to.deep.equal(Array.from({ length: 10 }, (_, i) => 1 + 1460 * i));
      for (const { length } of sent) expect(length).to.equal(1460);
      expect(info(t)).to.include({ tcpi_snd_cwnd: 10, tcpi_unacked: 10 });
    });
  }

  it('counts segments of the size that the peer asked for', async () => {
    const t = await established({ options: { mss: 700 } });
    t.write(20 * 700);
    const sent = t.drain();
    expect(sent).to.have.length(10);
    expect(sent[9]).to.include({ seq: 1 + 9 * 700, length: 700 });
  });

  it('tcp_init_cwnd sets it', async () => {
    const t = await established({ sysctl: { tcp_init_cwnd: 4 } });
    t.write(20 * 1460);
    expect(t.drain()).to.have.length(4);
  });

  it('stays as it is when a single SYN had to be sent again', async () => {
    const t = connecting();
    await t.advance(1000);
    t.expect({ flags: 'S' });
    t.inject({ seq: 0, ack: 1, flags: 'SA', options: { mss: 1460 } });
    t.expect({ flags: 'A' });
    t.write(20 * 1460);
    expect(t.drain()).to.have.length(10);
  });

  it('RFC 5681 3.1: is one segment when SYNs had to be sent again more often', async () => {
    const t = connecting();
    await t.advance(2000);
    expect(t.drain()).to.have.length(2);
    t.inject({ seq: 0, ack: 1, flags: 'SA', options: { mss: 1460 } });
    t.expect({ flags: 'A' });
    t.write(20 * 1460);
    expect(t.drain()).to.have.length(1);
  });

  it('RFC 5681 3.1: likewise with SYN,ACKs, timestamps or not', async () => {
    const t = listening({ options: { mss: 1460, ts: [1, 0] } });
    t.inject({ seq: 0, flags: 'S', options: t.synOptions });
    await t.advance(3000);
    expect(t.drain()).to.have.length(3);
    t.inject({ seq: 1, ack: 1 });
    t.accept().send(new Uint8Array(20 * 1460));
    expect(t.drain()).to.have.length(1);
  });

  it('RFC 5681 3.1: neither the SYN,ACK nor its acknowledgment makes cwnd grow', async () => {
    const t = await established();
    expect(info(t).tcpi_snd_cwnd).to.equal(10);
  });
});
