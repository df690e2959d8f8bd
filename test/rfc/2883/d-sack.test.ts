/** RFC 2883: duplicates are reported. Segments of 1000 bytes, numbered from 0. */
import { expect } from 'chai';
import { established, type PeerOptions, type WirePeer } from '../../support/wire-peer.ts';

const MSS = 1000;
const at = (i: number) => 1 + i * MSS;
const block = (from: number, to: number): [number, number] => [at(from), at(to)];
const sackOk: PeerOptions = { options: { mss: 1460, sackOk: true } };

function data(t: WirePeer, i: number, count = 1): void {
  t.inject({ seq: at(i), length: count * MSS });
}

describe('RFC 2883 4: D-SACK', () => {
  it('4.1: a segment that is acknowledged already: one block, below the acknowledgment', async () => {
    const t = await established(sackOk);
    data(t, 0);
    t.expect({ ack: at(1) });
    data(t, 0);
    t.expect({ ack: at(1), flags: 'A', options: { sack: [block(0, 1)] } });
    expect(t.counters.TCPDSACKOldSent).to.equal(1);
  });

  it('4.1: likewise one that lies farther back', async () => {
    const t = await established(sackOk);
    data(t, 0);
    data(t, 1);
    t.drain();
    data(t, 0);
    t.expect({ ack: at(2), flags: 'A', options: { sack: [block(0, 1)] } });
  });

  it('4.1: with other data above: the duplicate first, then what SACK reports', async () => {
    const t = await established(sackOk);
    data(t, 0);
    data(t, 3);
    t.drain();
    data(t, 0);
    t.expect({ ack: at(1), options: { sack: [block(0, 1), block(3, 4)] } });
  });

  it('4.2: out of order and here before: the duplicate, then the block that holds it', async () => {
    const t = await established(sackOk);
    data(t, 2, 3);
    t.expect({ options: { sack: [block(2, 5)] } });
    data(t, 3);
    t.expect({ ack: 1, options: { sack: [block(3, 4), block(2, 5)] } });
  });

  it('4: a duplicate is reported once', async () => {
    const t = await established(sackOk);
    data(t, 0);
    data(t, 0);
    t.drain();
    data(t, 2);
    t.expect({ ack: at(1), options: { sack: [block(2, 3)] } });
    data(t, 1);
    t.expect({ ack: at(3), options: { sack: undefined } });
  });

  it('4.3: a segment of which the front is a duplicate: that part', async () => {
    const t = await established(sackOk);
    data(t, 0);
    t.drain();
    data(t, 0, 2);
    t.expect({ ack: at(2), options: { sack: [block(0, 1)] } });
    expect(t.read()).to.have.length(2 * MSS);
  });

  it('4.2.1: a segment of which the rear is a duplicate: that part', async () => {
    const t = await established(sackOk);
    data(t, 1);
    t.expect({ ack: at(0), options: { sack: [block(1, 2)] } });
    data(t, 0, 2);
    t.expect({ ack: at(2), options: { sack: [block(1, 2)] } });
    expect(t.read()).to.have.length(2 * MSS);
  });

  it('4.2.2: two parts that the acknowledgment covers: the first', async () => {
    const t = await established(sackOk);
    data(t, 4);
    data(t, 0);
    data(t, 2);
    t.drain();
    data(t, 0, 3);
    t.expect({ ack: at(3), options: { sack: [block(0, 1), block(4, 5)] } });
  });

  it('4.2.3: two parts above the acknowledgment: the first, then the block that holds it', async () => {
    const t = await established(sackOk);
    data(t, 5);
    data(t, 1);
    data(t, 3);
    t.drain();
    data(t, 1, 3);
    t.expect({ ack: 1, options: { sack: [block(1, 2), block(1, 4), block(5, 6)] } });
  });

  it('with timestamps, the duplicate and two others', async () => {
    const t = await established({ options: { mss: 1460, sackOk: true, ts: [1, 0] } });
    data(t, 0);
    for (const i of [2, 4, 6]) data(t, i);
    t.drain();
    data(t, 0);
    t.expect({ options: { sack: [block(0, 1), block(6, 7), block(4, 5)] } });
  });

  it('tcp_dsack off: none', async () => {
    const t = await established({ ...sackOk, sysctl: { tcp_dsack: false } });
    data(t, 0);
    t.drain();
    data(t, 0);
    t.expect({ ack: at(1), options: { sack: undefined } });
  });

  it('nor without SACK', async () => {
    const t = await established();
    data(t, 0);
    t.drain();
    data(t, 0);
    t.expect({ ack: at(1), options: { sack: undefined } });
  });
});
