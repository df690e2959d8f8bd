import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { type CaptureOptions, captured } from '../../src/link/captured.ts';
import { createPipe } from '../../src/link/pipe.ts';
import { Slab } from '../../src/link/slab.ts';
import { VirtualClock } from '../../src/time/virtual-clock.ts';
import { batchOf, bytesOf, Collector, faultOf, packetOf, pattern, tcpPacket } from './collector.ts';

function joined(options: CaptureOptions) {
  const clock = new VirtualClock({ wallStart: Date.UTC(2026, 0, 2, 3, 4, 5) });
  const [a, far] = createPipe();
  const near = captured(a, options);
  return { clock, slab: new Slab(), near, far, left: new Collector(clock, near), right: new Collector(clock, far) };
}

/** A capture of packets of all sorts, both ways, 1.25 ms apart. */
async function capture(
  options: CaptureOptions = {},
): Promise<{ file: Uint8Array; near: ReturnType<typeof captured>; sent: Uint8Array[] }> {
  const blocks: Uint8Array[] = [];
  const { clock, slab, near, far } = joined({ write: (bytes) => blocks.push(bytes), ...options });
  const sent: Uint8Array[] = [];
  const specs = [
    { payload: pattern(10), parts: [3], partial: true },
    { payload: pattern(5001), segmentSize: 1448, tcpOptions: 12, seq: 5000 },
    { payload: pattern(100), version: 6 as const },
    { payload: pattern(101), version: 6 as const, partial: true },
  ];
  for (const [i, spec] of specs.entries()) {
    const packet = tcpPacket(slab, spec);
    near.comment(`packet ${i}`);
    near.send(batchOf(packet));
    sent.push(bytesOf(packet));
    far.send(batchOf(packet));
    await clock.advance(1.25);
  }
  return { file: Buffer.concat(blocks), near, sent };
}

describe('captured', () => {
  it('shows each packet, both ways, with complete checksums, and passes it on as it was', async () => {
    const shown: string[] = [];
    const { clock, slab, near, far, left, right } = joined({
      onPacket: (bytes, direction, at, segmentSize) =>
        shown.push(
          `${direction} ${bytes.length} ${at - Date.UTC(2026, 0, 2, 3, 4, 5)} ${segmentSize} ${faultOf(bytes)}`,
        ),
    });
    const packets = [
      tcpPacket(slab, { payload: pattern(11), parts: [2], partial: true }),
      tcpPacket(slab, { payload: pattern(4001), segmentSize: 1448 }),
    ];
    const sent = packets.map(bytesOf);
    expect(near.send(batchOf(...packets))).to.equal(2);
    await clock.advance(2.5);
    far.send(batchOf(...packets));
    await clock.advance(0);
    expect(shown).to.deep.equal(['out 51 0 0 ', 'out 4041 0 1448 ', 'in 51 2.5 0 ', 'in 4041 2.5 1448 ']);
    for (const end of [left, right]) {
      expect(end.received.map((p) => p.bytes)).to.deep.equal(sent);
      expect(end.received.map((p) => [p.checksum, p.segmentSize])).to.deep.equal([
        [1, 0],
        [1, 1448],
      ]);
    }
    expect([near.name, near.capabilities.segmentationOffload]).to.deep.equal(['captured(pipe0)', 65_535]);
    expect([left.slab.live, right.slab.live]).to.deep.equal([0, 0]);
  });

  it('shows what the link took, not what it left', () => {
    let shown = 0;
    const { slab, near } = joined({ onPacket: () => shown++ });
    const packets = Array.from({ length: 300 }, () => packetOf(slab, pattern(60)));
    expect(near.send(batchOf(...packets))).to.equal(256);
    expect(shown).to.equal(256);
  });

  it('passes on room, carrier and close', async () => {
    const { clock, slab, near, far, left, right } = joined({ onPacket: () => {} });
    near.send(batchOf(...Array.from({ length: 300 }, () => packetOf(slab, pattern(60)))));
    far.close();
    await clock.advance(0);
    expect(left.events).to.deep.equal(['writable', 'down']);
    near.close();
    expect(right.events).to.deep.equal([]);
    expect(() => near.send(batchOf())).to.throw(Error, 'pipe0 was closed');
  });

  it('cuts what it writes to snaplen, and takes comments from a function', async () => {
    const { file } = await capture({
      snaplen: 48,
      comment: (_, direction, __, segmentSize) => (segmentSize > 0 ? `super ${direction}` : undefined),
    });
    const text = Buffer.from(file).toString('latin1');
    expect(text).to.include('packet 1\nsuper out');
    expect(text).to.include('super in');
    expect(text).not.to.include('super out\n');
    // 8 packets of at most 48 bytes, each in a block with 28 + 4 bytes of frame, and room for comments.
    expect(file.length).to.be.below(8 * 140 + 200);
  });

  it('refuses wrong use', () => {
    const [link] = createPipe();
    expect(() => captured(link, { write: () => {}, snaplen: 0 })).to.throw(RangeError, 'snaplen');
    expect(() => captured(link, {})).to.throw(TypeError, 'write, onPacket or both');
    expect(() => captured(link, { write: 'file.pcapng' as never })).to.throw(TypeError, 'write must be a function');
  });

  it('tshark reads the file without a complaint', async function () {
    if (spawnSync('tshark', ['--version']).status !== 0) {
      this.test!.title += ' [pending: tshark is not installed]';
      this.skip();
    }
    this.timeout(30_000);
    const directory = mkdtempSync(join(tmpdir(), 'captured-'));
    try {
      const path = join(directory, 'capture.pcapng');
      writeFileSync(path, (await capture({ name: 'tun0' })).file);
      const check = ['-o', 'ip.check_checksum:TRUE', '-o', 'tcp.check_checksum:TRUE'];
      const fields = [
        'frame.interface_name',
        'frame.time_epoch',
        'frame.len',
        'frame.packet_flags_direction',
        'frame.comment',
        'ip.checksum.status',
        'tcp.checksum.status',
        '_ws.malformed',
      ];
      const args = [
        '-r',
        path,
        ...check,
        '-T',
        'fields',
        '-E',
        'separator=|',
        ...fields.flatMap((field) => ['-e', field]),
      ];
      const { stdout, stderr, status } = spawnSync('tshark', args, { encoding: 'utf8' });
      expect(stderr.split('\n').filter((line) => line !== '' && !line.includes('root'))).to.deep.equal([]);
      expect(status).to.equal(0);
      const start = Date.UTC(2026, 0, 2, 3, 4, 5) / 1000;
      const expected = [50, 5053, 160, 161].flatMap((length, i) =>
        ['2', '1'].map((direction) => {
          const ipStatus = i < 2 ? '1' : '';
          return [
            'tun0',
            `${start}.${String(i * 1_250_000).padStart(9, '0')}`,
            length,
            direction,
            direction === '2' ? `packet ${i}` : '',
            ipStatus,
            '1',
            '',
          ].join('|');
        }),
      );
      expect(
        stdout
          .trimEnd()
          .split('\n')
          .map((line) => line.replace(/0x0*(\d)\|/, '$1|')),
      ).to.deep.equal(expected);
    } finally {
      rmSync(directory, { recursive: true });
    }
  });
});
