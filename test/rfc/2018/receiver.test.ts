/** RFC 2018 2-4: SACK as the receiver of data. Segments of 1000 bytes, numbered from 0. */
import { expect } from 'chai';
import { connecting, established, listening, type PeerOptions, type WirePeer } from '../../support/wire-peer.ts';

const MSS = 1000;
const at = (i: number) => 1 + i * MSS;
const block = (from: number, to: number): [number, number] => [at(from), at(to)];

const sackOk: PeerOptions = { options: { mss: 1460, sackOk: true } };
const withStamps: PeerOptions = { options: { mss: 1460, sackOk: true, ts: [1, 0] } };

/** Segment i comes. */
function data(t: WirePeer, i: number, count = 1): void {
  t.inject({ seq: at(i), length: count * MSS });
}

describe('RFC 2018 2: SACK-permitted', () => {
  it('is on a SYN, and only there', async () => {
    const t = connecting();
    await t.advance(1000);
    t.expect({ flags: 'S', options: { sackOk: true } });
    t.inject({ seq: 0, ack: 1, flags: 'SA', options: { mss: 1460, sackOk: true } });
    t.expect({ flags: 'A', options: { sackOk: undefined } });
    t.write('a');
    t.expect({ options: { sackOk: undefined } });
  });

  it('is on the SYN,ACK when the SYN had it', async () => {
    const t = listening(sackOk);
    t.inject({ seq: 0, flags: 'S', options: t.synOptions });
    t.expect({ flags: 'SA', options: { sackOk: true } });
  });

  it('is not on it when it had not', async () => {
    const t = listening();
    t.inject({ seq: 0, flags: 'S', options: t.synOptions });
    t.expect({ flags: 'SA', options: { sackOk: undefined } });
  });

  it('tcp_sack off: on neither', async () => {
    const active = connecting({ sysctl: { tcp_sack: false } });
    await active.advance(1000);
    active.expect({ flags: 'S', options: { sackOk: undefined } });
    const t = listening({ ...sackOk, sysctl: { tcp_sack: false } });
    t.inject({ seq: 0, flags: 'S', options: t.synOptions });
    t.expect({ flags: 'SA', options: { sackOk: undefined } });
  });

  it('3: nothing is reported unless both had it', async () => {
    for (const options of [{}, { ...sackOk, sysctl: { tcp_sack: false } }]) {
      const t = await established(options);
      data(t, 1);
      t.expect({ ack: 1, options: { sack: undefined } });
    }
    const t = await established({ active: true });
    data(t, 1);
    t.expect({ ack: 1, options: { sack: undefined } });
  });
});

describe('RFC 2018 3, 4: what is reported', () => {
  it('3: data that is there above a hole', async () => {
    const t = await established(sackOk);
    data(t, 0);
    t.expect({ ack: at(1), options: { sack: undefined } });
    data(t, 2);
    t.expect({ ack: at(1), options: { sack: [block(2, 3)] } });
  });

  it('4: the block of the segment that has just come is first, then those reported most recently', async () => {
    const t = await established(sackOk);
    data(t, 1);
    t.expect({ options: { sack: [block(1, 2)] } });
    data(t, 5);
    t.expect({ options: { sack: [block(5, 6), block(1, 2)] } });
    data(t, 3);
    t.expect({ options: { sack: [block(3, 4), block(5, 6), block(1, 2)] } });
    data(t, 7);
    t.expect({ options: { sack: [block(7, 8), block(3, 4), block(5, 6), block(1, 2)] } });
  });

  it('3: four blocks at the most', async () => {
    const t = await established(sackOk);
    for (const i of [1, 3, 5, 7]) data(t, i);
    t.drain();
    data(t, 9);
    t.expect({ ack: 1, options: { sack: [block(9, 10), block(7, 8), block(5, 6), block(3, 4)] } });
  });

  it('3: three with timestamps', async () => {
    const t = await established(withStamps);
    for (const i of [1, 3, 5]) data(t, i);
    t.drain();
    data(t, 7);
    t.expect({ ack: 1, options: { sack: [block(7, 8), block(5, 6), block(3, 4)] } });
  });

  it('4: a block is the whole contiguous range that the segment became part of', async () => {
    const t = await established(sackOk);
    for (const i of [1, 3, 5]) data(t, i);
    t.drain();
    data(t, 2);
    t.expect({ options: { sack: [block(1, 4), block(5, 6)] } });
    data(t, 4);
    t.expect({ options: { sack: [block(1, 6)] } });
  });

  it('4: every acknowledgment that does not cover all that is there reports, data segments too', async () => {
    const t = await established(sackOk);
    data(t, 1);
    t.drain();
    t.write('a');
    t.expect({ data: 'a', options: { sack: [block(1, 2)] } });
  });

  it('what the acknowledgment covers is reported no more', async () => {
    const t = await established(sackOk);
    data(t, 1);
    data(t, 3);
    t.drain();
    data(t, 0);
    t.expect({ ack: at(2), options: { sack: [block(3, 4)] } });
    data(t, 2);
    t.expect({ ack: at(4), options: { sack: undefined } });
    expect(t.read()).to.have.length(4 * MSS);
  });

  it('data makes room for the report: no segment is longer than the path takes', async () => {
    const t = await established(withStamps);
    for (const i of [1, 3, 5]) data(t, i);
    t.drain();
    t.write(3 * 1460);
    const [first] = t.drain();
    expect(first?.bytes.length).to.be.at.most(1500);
    expect(first).to.include({ length: 1448 - 28 });
    expect(first?.options.sack).to.have.length(3);
  });

  it('a SYN reports nothing, and a RST neither', async () => {
    const t = await established(sackOk);
    data(t, 1);
    t.drain();
    t.inject({ seq: at(0), length: 1 });
    t.drain();
    t.socket.close();
    t.expect({ flags: 'RA', options: { sack: undefined } });
  });
});
