import { expect } from 'chai';
import type { LinkReceiver } from '../../src/link/link.ts';
import type { PacketBatch } from '../../src/link/packet.ts';
import { CHECKSUM_NONE, CHECKSUM_PARTIAL, CHECKSUM_VALIDATED, Packet } from '../../src/link/packet.ts';
import { Slab } from '../../src/link/slab.ts';
import { openDevice } from '../../src/link/tun-device.ts';
import {
  EACCES,
  EAGAIN,
  EBADFD,
  EBUSY,
  EFAULT,
  EINTR,
  EINVAL,
  EIO,
  ENODEV,
  ENOENT,
  EPERM,
} from '../../src/link/tun-error.ts';
import { VnetLink } from '../../src/link/tun-link.ts';
import { RealClock } from '../../src/time/real-clock.ts';
import { PaperSystem } from './tun-memory.ts';

const TUNSETIFF = 0x400454ca;
const TUNSETOFFLOAD = 0x400454d0;

class PaperLink extends VnetLink {
  released(): void {}
}

/** A packet as noted on receipt. */
interface Noted {
  readonly bytes: number[];
  readonly checksum: number;
  readonly segmentSize: number;
  readonly transportOffset: number;
}

function setUp(keep = false) {
  const system = new PaperSystem();
  const link = new PaperLink(system, { fd: 9, name: 'paper0' }, 1500, true, true);
  const slab = new Slab();
  const noted: Noted[] = [];
  const batches: number[] = [];
  const events: string[] = [];
  const kept: Packet['chunk'][] = [];
  const receive = (batch: PacketBatch) => {
    batches.push(batch.length);
    for (const { chunk, offset, length, checksum, segmentSize, transportOffset } of batch.packets.slice(
      0,
      batch.length,
    )) {
      noted.push({ bytes: [...chunk.bytes.subarray(offset, offset + length)], checksum, segmentSize, transportOffset });
      if (!keep) continue;
      chunk.retain();
      kept.push(chunk);
    }
  };
  const receiver: LinkReceiver = {
    slab,
    addresses: [],
    clock: new RealClock(),
    receive,
    writable: () => events.push('writable'),
    up: () => events.push('up'),
    down: () => events.push('down'),
    closed: (reason) => events.push(`closed ${(reason as { code?: string }).code}`),
  };
  link.attach(receiver);
  return { system, link, slab, noted, batches, events, kept, receiver };
}

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

/** Something to read: a virtio-net header (flags, kind, header length, piece size, checksum start and offset), then bytes. */
function inbound(header: [number, number, number, number, number, number], ...bytes: number[]): Uint8Array {
  const [flags, kind, ...words] = header;
  return Uint8Array.from([flags, kind, ...words.flatMap((word) => [word & 0xff, word >>> 8]), ...bytes]);
}

const PLAIN = [0, 0, 0, 0, 0, 0] as const;
/** Reads until there is nothing left: how much goes into a turn is a matter of time. */
async function readAll(system: PaperSystem): Promise<void> {
  do {
    system.ready?.(0, READABLE);
    await turn();
  } while (system.inbound.length > 0);
}

const READABLE = { readable: true, writable: false };
const WRITABLE = { readable: false, writable: true };

function outbound(slab: Slab, first: number[], parts: number[][] = []): Packet {
  const packet = new Packet(slab.take(), 40);
  packet.chunk.bytes.set(first, 40);
  packet.length = first.length;
  for (const part of parts) {
    const chunk = slab.take();
    chunk.bytes.set(part, 7);
    packet.addPart(chunk, 7, part.length);
    chunk.release();
  }
  return packet;
}

const batchOf = (...packets: Packet[]): PacketBatch => ({ packets, length: packets.length });

/** An IP header of 20 or 40 bytes and a TCP header with 12 bytes of options. */
function tcpHeaders(version: 4 | 6, flags = 0x10): number[] {
  const ip = new Array<number>(version === 4 ? 20 : 40).fill(0);
  ip[0] = version << 4;
  const tcp = new Array<number>(32).fill(0);
  tcp[12] = 8 << 4;
  tcp[13] = flags;
  return [...ip, ...tcp];
}

describe('VnetLink', () => {
  it('does not keep the process alive, and has one receiver in its life', () => {
    const { system, link, receiver } = setUp();
    expect(system.referenced).to.equal(false);
    expect(() => link.attach(receiver)).to.throw('paper0 has a receiver already');
    link.close();
    expect(() => link.attach(receiver)).to.throw('paper0 is closed');
    expect(system.closed).to.deep.equal([9]);
  });

  it('describes what it reads as the virtio-net header says', async () => {
    const { system, link, noted } = setUp();
    const body = new Array<number>(60).fill(0x45);
    system.inbound.push(
      inbound([...PLAIN], 1),
      inbound([1, 1, 40, 1448, 20, 16], ...body),
      inbound([2, 0, 0, 0, 0, 0], 3),
    );
    system.ready?.(0, READABLE);
    await turn();
    expect(noted.map(({ bytes, ...rest }) => ({ ...rest, length: bytes.length }))).to.deep.equal([
      { checksum: CHECKSUM_NONE, segmentSize: 0, transportOffset: 0, length: 1 },
      { checksum: CHECKSUM_PARTIAL, segmentSize: 1448, transportOffset: 20, length: 60 },
      { checksum: CHECKSUM_VALIDATED, segmentSize: 0, transportOffset: 0, length: 1 },
    ]);
    link.close();
  });

  it('counts what makes no sense and goes on', async () => {
    const { system, link, noted } = setUp();
    const short = inbound([...PLAIN]);
    system.inbound.push(
      short.subarray(0, 4),
      short,
      inbound([0, 9, 0, 0, 0, 0], 1),
      inbound([1, 0, 0, 0, 20, 16], 1),
      inbound([...PLAIN], 7),
    );
    system.ready?.(0, READABLE);
    await turn();
    expect(noted.map(({ bytes }) => bytes)).to.deep.equal([[7]]);
    expect(link.statistics).to.include({ packetsInvalid: 4, packetsReceived: 1 });
    link.close();
  });

  it('reads on after EINTR', async () => {
    const { system, link, noted } = setUp();
    const read = system.read.bind(system);
    let interrupted = 0;
    system.errno = () => (interrupted++ === 0 ? EINTR : EAGAIN);
    system.read = (fd, address, length) => (interrupted === 0 ? -1 : read(fd, address, length));
    system.inbound.push(inbound([...PLAIN], 7));
    system.ready?.(0, READABLE);
    await turn();
    expect(noted).to.have.length(1);
    link.close();
  });

  it('bounds batches and turns', async () => {
    const { system, link, batches, slab } = setUp();
    for (let i = 0; i < 3000; i++) system.inbound.push(inbound([...PLAIN], i & 255));
    system.ready?.(0, READABLE);
    await turn();
    expect(Math.max(...batches)).to.equal(64);
    expect(batches.length).to.be.at.most(4);
    expect(slab.live).to.equal(0);
    await readAll(system);
    expect(link.statistics.packetsReceived).to.equal(3000);
    link.close();
  });

  it('bounds a batch of super-segments by its bytes', async () => {
    const { system, link, batches } = setUp();
    const large = inbound([...PLAIN], ...new Array<number>(65_000).fill(1));
    for (let i = 0; i < 40; i++) system.inbound.push(large);
    system.ready?.(0, READABLE);
    await turn();
    expect(batches[0]).to.equal(17);
    link.close();
  });

  it('leaves a chunk to whoever retained it', async () => {
    const { system, link, noted, kept, slab } = setUp(true);
    for (let i = 0; i < 200; i++) system.inbound.push(inbound([...PLAIN], i & 255));
    await readAll(system);
    expect(new Set(kept).size).to.equal(200);
    expect(kept.map((chunk) => chunk.bytes[16])).to.deep.equal(noted.map(({ bytes }) => bytes[0]));
    expect(slab.live).to.equal(200);
    for (const chunk of kept) chunk.release();
    expect(slab.live).to.equal(0);
    link.close();
  });

  it('gathers header, first piece and parts in one writev', () => {
    const { system, link, slab } = setUp();
    const packet = outbound(slab, [1, 2, 3], [[4], [5, 6]]);
    expect(link.send(batchOf(packet))).to.equal(1);
    expect(system.written.map((pieces) => pieces.map((piece) => [...piece]))).to.deep.equal([
      [new Array(10).fill(0), [1, 2, 3], [4], [5, 6]],
    ]);
    expect(link.statistics).to.include({ packetsSent: 1, bytesSent: 6 });
    link.close();
  });

  it('sends a packet in more parts than one writev takes', () => {
    const { system, link, slab } = setUp();
    const parts = Array.from({ length: 1500 }, (_, i) => [i & 255]);
    const packet = outbound(slab, [9], parts);
    link.send(batchOf(packet));
    expect(system.written[0]).to.have.length(2);
    expect([...(system.written[0]?.[1] ?? [])]).to.deep.equal([9, ...parts.flat()]);
    link.close();
  });

  it('writes the header of super-segments and partial checksums', () => {
    const { system, link, slab } = setUp();
    const headerOf = (version: 4 | 6, flags: number, segmentSize: number, checksum: number) => {
      const packet = outbound(slab, tcpHeaders(version, flags), [[1]]);
      Object.assign(packet, { segmentSize, checksum, transportOffset: version === 4 ? 20 : 40, checksumOffset: 16 });
      link.send(batchOf(packet));
      const header = system.written.at(-1)?.[0] as Uint8Array;
      const view = new DataView(header.buffer);
      return [header[0], header[1], ...[2, 4, 6, 8].map((at) => view.getUint16(at, true))];
    };
    expect(headerOf(4, 0x10, 1448, CHECKSUM_PARTIAL)).to.deep.equal([1, 1, 52, 1448, 20, 16]);
    expect(headerOf(6, 0x10, 1428, CHECKSUM_PARTIAL)).to.deep.equal([1, 4, 72, 1428, 40, 16]);
    expect(headerOf(4, 0x90, 1448, CHECKSUM_PARTIAL)).to.deep.equal([1, 0x81, 52, 1448, 20, 16]);
    expect(headerOf(4, 0x90, 0, CHECKSUM_PARTIAL)).to.deep.equal([1, 0, 0, 0, 20, 16]);
    expect(headerOf(4, 0x10, 0, CHECKSUM_VALIDATED)).to.deep.equal([2, 0, 0, 0, 0, 0]);
    expect(headerOf(4, 0x10, 0, CHECKSUM_NONE)).to.deep.equal([0, 0, 0, 0, 0, 0]);
    link.close();
  });

  it('says how many it took when there is no room, and when there is again', async () => {
    const { system, link, slab, events } = setUp();
    const batch = batchOf(outbound(slab, [1]), outbound(slab, [2]), outbound(slab, [3]));
    system.writeErrnos = [0, EAGAIN];
    expect(link.send(batch)).to.equal(1);
    expect(system.watching).to.deep.equal({ readable: true, writable: true });
    expect(events).to.deep.equal([]);
    system.ready?.(0, WRITABLE);
    await turn();
    expect(events).to.deep.equal(['writable']);
    expect(system.watching).to.deep.equal({ readable: true, writable: false });
    expect(link.statistics).to.include({ packetsSent: 1, packetsLost: 0 });
    link.close();
  });

  it('counts what the kernel refuses, and takes the rest', () => {
    const { system, link, slab } = setUp();
    system.writeErrnos = [EINVAL, EINTR, 0, EFAULT];
    expect(link.send(batchOf(outbound(slab, [1]), outbound(slab, [2]), outbound(slab, [3])))).to.equal(3);
    expect(system.written.map((pieces) => pieces[1]?.[0])).to.deep.equal([2]);
    expect(link.statistics).to.include({ packetsSent: 1, packetsLost: 2 });
    expect([...link.statistics.refusals]).to.deep.equal([
      ['EINVAL', 1],
      ['EFAULT', 1],
    ]);
    link.close();
  });

  it('loses packets from EIO until there is room again', async () => {
    const { system, link, slab, events } = setUp();
    system.writeErrnos = [EIO];
    expect(link.send(batchOf(outbound(slab, [1]), outbound(slab, [2])))).to.equal(2);
    expect(events, 'nothing from within send').to.deep.equal([]);
    await turn();
    expect(events).to.deep.equal(['down']);
    expect(link.statistics.packetsLost).to.equal(2);
    system.ready?.(0, WRITABLE);
    await turn();
    link.send(batchOf(outbound(slab, [3])));
    expect(events).to.deep.equal(['down', 'up']);
    expect(link.statistics).to.include({ packetsSent: 1, packetsLost: 2 });
    link.close();
  });

  for (const errno of [EBADFD, ENODEV, EFAULT]) {
    it(`ends when reading says that the device is gone (${errno})`, async () => {
      const { system, events, slab } = setUp();
      system.inbound.push(inbound([...PLAIN], 1));
      system.emptyErrno = errno;
      system.ready?.(0, READABLE);
      await turn();
      await turn();
      expect(events).to.deep.equal(['closed EBADFD']);
      expect(system.closed).to.deep.equal([9]);
      expect(slab.live).to.equal(0);
    });
  }

  it('ends when writing or the poll says that the device is gone', async () => {
    const first = setUp();
    first.system.writeErrnos = [EBADFD];
    expect(first.link.send(batchOf(outbound(first.slab, [1])))).to.equal(1);
    await turn();
    const second = setUp();
    second.system.ready?.(-9, { readable: false, writable: false });
    await turn();
    for (const { events, link } of [first, second]) {
      expect(events).to.deep.equal(['closed EBADFD']);
      expect(link.closed).to.equal(true);
    }
  });

  it('says nothing more once it is closed', async () => {
    const { system, link, slab, events, noted } = setUp();
    system.inbound.push(inbound([...PLAIN], 1));
    system.ready?.(0, READABLE);
    link.close();
    expect(link.send(batchOf(outbound(slab, [1])))).to.equal(1);
    await turn();
    expect({ events, noted, lost: link.statistics.packetsLost }).to.deep.equal({ events: [], noted: [], lost: 1 });
  });
});

describe('openDevice', () => {
  const opening = (prepare: (system: PaperSystem) => void, offload = true) => {
    const system = new PaperSystem();
    prepare(system);
    try {
      return openDevice(system, 'tun7', offload).name;
    } catch (error) {
      return `${(error as Error).message} [closed ${system.closed.join()}]`;
    }
  };

  const openFails = (errno: number) =>
    opening((system) => {
      system.openErrno = errno;
    });

  it('says what is in the way, and what to do', () => {
    expect(openFails(EACCES)).to.match(/^cannot open TUN: \/dev\/net\/tun: permission denied \(EACCES\): run as root/);
    expect(openFails(ENOENT)).to.match(/no such file \(ENOENT\): load the driver \('modprobe tun'\)/);
    expect(openFails(ENODEV)).to.match(/no such device \(ENODEV\): load the driver/);
    const setInterface = (errno: number) => opening((system) => system.ioctlErrnos.set(TUNSETIFF, errno));
    expect(setInterface(EPERM)).to.match(
      /^cannot open TUN device tun7: operation not permitted \(EPERM\): run as root \(sudo\).*unshare -Urn/,
    );
    expect(setInterface(EBUSY)).to.match(/device busy \(EBUSY\): another process has it open/);
    expect(setInterface(EINVAL)).to.match(/invalid argument \(EINVAL\): an interface of that name is there/);
    expect(setInterface(EBUSY)).to.match(/\[closed 9\]$/);
    expect(opening((system) => system.ioctlErrnos.set(TUNSETOFFLOAD, EINVAL))).to.match(
      /offload on for tun7: .*offload: false.*\[closed 9\]$/,
    );
    expect(opening(() => {})).to.equal('tun7');
  });
});
