import { expect } from 'chai';
import type { Flow } from '../../src/lab/flow.ts';
import { Recorder } from '../../src/lab/recorder.ts';
import { ACK, FIN, PSH, RST, SYN } from '../../src/wire/tcp.ts';
import { type SegmentFields, segment } from './segments.ts';

const A = { from: [1, 40000], to: [2, 80] } as const;
const B = { from: [2, 80], to: [1, 40000] } as const;
/** Initial sequence numbers; both wrap within the connection. */
const [I, J] = [-3, -1];

/** A recorder at 10.9.0.2 with what it told. */
function recorder() {
  const made = new Recorder();
  const told: string[] = [];
  const note = (what: string) => (flow: Flow) =>
    told.push(`${what} ${flow.local} ${flow.remote} ${flow.reason ?? ''}`.trim());
  made.events = { opened: note('opened'), closed: note('closed') };
  let at = 1000;
  const see = (direction: 'in' | 'out', fields: SegmentFields, size = 0) =>
    made.watch(segment(fields), direction, at++, size);
  return { made, told, see };
}

const handshake = (see: ReturnType<typeof recorder>['see']) => {
  see('in', { ...A, seq: I, flags: SYN });
  see('out', { ...B, seq: J, ack: I + 1, flags: SYN | ACK });
  see('in', { ...A, seq: I + 1, ack: J + 1, flags: ACK });
};
const OPENED = 'opened 10.9.0.2:80 10.9.0.1:40000';
const CLOSED = 'closed 10.9.0.2:80 10.9.0.1:40000';

describe('lab/recorder', () => {
  it('follows a connection from its SYN to the ACK of its second FIN', async () => {
    const { made, told, see } = recorder();
    see('in', { ...A, seq: I, flags: SYN });
    const flow = made.find('10.9.0.2:80', '10.9.0.1:40000') as Flow;
    expect(flow).to.include({ dialled: false, localPort: 80, remotePort: 40000, state: 'opening', since: 1000 });
    see('out', { ...B, seq: J, ack: I + 1, flags: SYN | ACK });
    expect(told).to.deep.equal([]);
    see('in', { ...A, seq: I + 1, ack: J + 1, flags: ACK });
    expect(told).to.deep.equal([OPENED]);
    see('in', { ...A, seq: I + 1, ack: J + 1, flags: PSH | ACK, payload: 'request' });
    see('out', { ...B, seq: J + 1, ack: I + 8, flags: FIN | ACK, payload: 'the answer' });
    see('in', { ...A, seq: I + 8, ack: J + 12, flags: FIN | ACK });
    expect(told).to.deep.equal([OPENED]);
    see('out', { ...B, seq: J + 12, ack: I + 9, flags: ACK });
    expect(told).to.deep.equal([OPENED, CLOSED]);
    await flow.closed;
    expect(flow).to.include({ state: 'closed', bytesIn: 7, bytesOut: 10, until: 1006, unkept: 0, reason: undefined });
    expect(flow.packets.map(({ at, direction }) => `${at} ${direction}`)).to.deep.equal([
      '1000 in',
      '1001 out',
      '1002 in',
      '1003 in',
      '1004 out',
      '1005 in',
      '1006 out',
    ]);
    expect(made.find(flow.local, flow.remote)).to.equal(undefined);
  });

  it('counts bytes once that are sent twice, and gaps that are filled', () => {
    const { made, see } = recorder();
    handshake(see);
    const flow = made.flows()[0] as Flow;
    const data = (seq: number, length: number) =>
      see('in', { ...A, seq: I + seq, ack: J + 1, flags: ACK, payload: length });
    data(1, 10);
    data(1, 10);
    data(21, 10);
    data(11, 10);
    data(26, 10);
    expect(flow.bytesIn).to.equal(35);
    expect(flow.bytesOut).to.equal(0);
  });

  it('does not take a keep-alive probe, or the ACK of a FIN that was not sent, for more than they are', () => {
    const { told, made, see } = recorder();
    handshake(see);
    see('in', { ...A, seq: I, ack: J + 1, flags: ACK });
    see('in', { ...A, seq: I + 1, ack: J + 1, flags: FIN | ACK });
    see('out', { ...B, seq: J + 1, ack: I + 2, flags: ACK });
    expect(told).to.deep.equal([OPENED]);
    expect(made.flows()[0]).to.include({ bytesIn: 0, bytesOut: 0, state: 'open' });
  });

  it('tells a reset, and by whom', () => {
    const { told, see } = recorder();
    handshake(see);
    see('in', { ...A, seq: I + 1, flags: RST });
    see('in', { ...A, seq: I + 100, flags: SYN });
    see('out', { ...B, seq: 0, ack: I + 101, flags: RST | ACK });
    expect(told).to.deep.equal([OPENED, `${CLOSED} reset by the peer`, `${CLOSED} reset by us`]);
  });

  it('tells an end that no packet shows', async () => {
    const { made, told, see } = recorder();
    handshake(see);
    const flow = { local: '10.9.0.2:80', remote: '10.9.0.1:40000' };
    made.trace({ type: 'closed', at: 0, flow, reason: 'none' });
    made.trace({ type: 'closed', at: 0, flow, reason: 'timed out' });
    expect(told).to.deep.equal([OPENED]);
    await new Promise((resolve) => setImmediate(resolve));
    expect(told).to.deep.equal([OPENED, `${CLOSED} timed out`]);
  });

  it('hands a connection to the one who waits for it, once', () => {
    const { made, see } = recorder();
    const other = made.follow(({ localPort }) => localPort === 7);
    const [first, second] = [made.follow(() => true), made.follow(() => true)];
    handshake(see);
    expect(first.flow?.remote).to.equal('10.9.0.1:40000');
    expect([other.flow, second.flow]).to.deep.equal([undefined, undefined]);
  });

  it('begins with a SYN only', () => {
    const { made, see } = recorder();
    see('in', { ...A, seq: I + 1, ack: J + 1, flags: ACK });
    see('in', { ...A, seq: I + 1, ack: J + 1, flags: RST });
    see('in', { ...A, seq: I + 1, ack: J + 1, flags: SYN | ACK });
    expect(made.flows()).to.deep.equal([]);
    see('out', { ...B, seq: J, flags: SYN });
    expect(made.flows()[0]).to.include({ dialled: true, localPort: 80 });
  });

  it('keeps the beginning of a long connection, and a bounded part of many', () => {
    const { made, see } = recorder();
    handshake(see);
    for (let i = 0; i < 100; i++) see('in', { ...A, seq: I + 1 + i, ack: J + 1, flags: ACK, payload: 1 });
    const flow = made.flows()[0] as Flow;
    expect(flow).to.include({ unkept: 43, bytesIn: 100 });
    expect(flow.packets).to.have.length(60);
    for (let port = 1; port <= 11_000; port++) see('in', { ...A, from: [3, port], seq: 0, flags: SYN });
    expect(made.flows()).to.have.length(10_000);
    expect(made.flows()[0]?.remotePort).to.equal(1001);
  });

  it('passes over what is no segment', () => {
    const { made } = recorder();
    for (const bytes of [new Uint8Array(0), new Uint8Array(60), segment({ ...A, seq: 0, flags: SYN }).subarray(0, 30)])
      made.watch(bytes, 'in', 0, 0);
    expect(made.flows()).to.deep.equal([]);
  });
});
