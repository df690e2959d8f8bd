/**
 * node:net of a host, its calls interleaved at random: whatever the order, each callback comes once, each socket closes once and after all else, the bytes of a stream are
 * those that were written, in their order, and nothing is left.
 */
import { expect } from 'chai';
import fc from 'fast-check';
import { createNet, type HostNet } from '../../src/node/net/net.ts';
import { type Random, seededRandom } from '../../src/time/random.ts';
import { connectedHosts, type Pair } from '../support/pair.ts';

type Socket = InstanceType<HostNet['Socket']>;
type Server = InstanceType<HostNet['Server']>;

const VALUES = 251;
/** What may go wrong with a connection whose other side does what it likes. */
const ERRORS =
  /^(ECONNRESET|EPIPE|ECONNREFUSED|ERR_STREAM_(DESTROYED|WRITE_AFTER_END|ALREADY_FINISHED|PREMATURE_CLOSE)|ERR_SOCKET_(CLOSED|CLOSED_BEFORE_CONNECTION)|ENOTCONN|ABORT_ERR|EBADF)$/;

class Side {
  readonly socket: Socket;
  /** The bytes that were written, in the order of the calls. */
  readonly sent: number[] = [];
  readonly received: number[] = [];
  readonly events: string[] = [];
  writes = 0;
  /** Callbacks of writes that have not come. */
  waiting = 0;
  peer: Side | undefined;

  constructor(socket: Socket) {
    this.socket = socket;
    socket.on('data', (chunk: Uint8Array) => this.received.push(...chunk));
    for (const event of ['connect', 'end', 'finish', 'error', 'close'])
      socket.on(event, () => void this.events.push(event));
  }
}

class Play {
  readonly #random: Random;
  readonly #pair: Pair;
  readonly #client: HostNet;
  readonly #server: Server;
  readonly #sides: Side[] = [];
  readonly #byPort = new Map<number, Side>();
  readonly #wrong: string[] = [];

  constructor(seed: number) {
    this.#random = seededRandom(seed);
    this.#pair = connectedHosts({ seed, latency: 1 });
    this.#client = createNet(this.#pair.client);
    const allowHalfOpen = this.#below(2) === 0;
    const pauseOnConnect = this.#below(4) === 0;
    this.#server = createNet(this.#pair.server).createServer({ allowHalfOpen, pauseOnConnect }, (socket) => {
      const side = this.#add(socket);
      this.#meet(socket.remotePort, side);
    });
  }

  #below(n: number): number {
    return this.#random.uint32() % n;
  }

  #add(socket: Socket): Side {
    const side = new Side(socket);
    this.#sides.push(side);
    socket.on('error', (error: Error & { code?: string }) => {
      if (!ERRORS.test(error.code ?? '')) this.#wrong.push(`${error.stack}`);
    });
    return side;
  }

  #meet(port: number | undefined, side: Side): void {
    if (port === undefined) return;
    const other = this.#byPort.get(port);
    if (other === undefined || other.peer !== undefined) this.#byPort.set(port, side);
    else {
      side.peer = other;
      other.peer = side;
    }
  }

  #side(): Side | undefined {
    const open = this.#sides.filter(({ socket }) => !socket.destroyed).slice(-4);
    const list = open.length === 0 || this.#below(10) === 0 ? this.#sides : open;
    return list[this.#below(list.length || 1)];
  }

  readonly #steps: (() => unknown)[] = [
    () => this.#connect(),
    () => this.#write(),
    () => this.#write(),
    () => this.#write(),
    () => this.#write(),
    () => this.#change(),
    () => this.#change(),
    () => this.#pair.clock.advance(this.#below(30)),
    () => this.#pair.clock.advance(this.#below(4) / 2),
    () => Promise.resolve(),
    () => new Promise((resolve) => setImmediate(resolve)),
  ];

  #connect(): void {
    const controller = new AbortController();
    const side = this.#add(
      this.#client.connect({
        port: 80,
        host: this.#below(9) === 0 ? '10.9.0.77' : '10.9.0.2',
        allowHalfOpen: this.#below(2) === 0,
        signal: controller.signal,
      }),
    );
    side.socket.on('connect', () => this.#meet(side.socket.localPort, side));
    if (this.#below(8) === 0)
      this.#pair.clock.timer(() => controller.abort()).set(this.#pair.clock.now() + this.#below(5));
  }

  #write(): void {
    const side = this.#side();
    if (side === undefined) return;
    const size = this.#below(5) === 0 ? this.#below(100_000) : this.#below(2000);
    const value = side.writes++ % VALUES;
    const { socket } = side;
    if (socket.writable) for (let i = 0; i < size; i++) side.sent.push(value);
    let calls = 0;
    side.waiting++;
    const bytes = Buffer.alloc(size, value);
    socket.write(bytes, () => {
      side.waiting--;
      if (++calls > 1) this.#wrong.push('a callback came twice');
    });
  }

  #change(): void {
    const socket = this.#side()?.socket;
    if (socket === undefined) return;
    switch (this.#below(12)) {
      case 0:
        return void socket.end();
      case 1:
        return void socket.destroy();
      case 2:
        return void socket.resetAndDestroy();
      case 3:
        return void socket.destroySoon();
      case 4:
      case 5:
        return void socket.pause();
      case 6:
      case 7:
        return void socket.resume();
      case 8:
        return void socket.setTimeout(this.#below(20), () => {});
      case 9:
        return void socket.unref().ref().setKeepAlive(true, 1000);
      case 10:
        return void socket.setNoDelay(this.#below(2) === 0);
      default:
        socket.cork();
        return void process.nextTick(() => socket.uncork());
    }
  }

  async run(length: number): Promise<string> {
    const { clock } = this.#pair;
    this.#server.listen(80);
    for (let i = 0; i < length; i++) await this.#steps[this.#below(this.#steps.length)]?.();
    for (const { socket } of this.#sides) {
      socket.resume();
      socket.end();
    }
    await clock.advance(60_000);
    for (const { socket } of this.#sides) socket.destroy();
    const closing = new Promise((resolve) => this.#server.close(resolve));
    await clock.advance(200_000);
    await closing;
    for (const side of this.#sides) this.#check(side);
    await this.#pair.close();
    if (clock.pending.held !== 0) this.#wrong.push(`${clock.pending.held} holds are left`);
    return this.#wrong.join('\n');
  }

  #check({ events, waiting, received, peer }: Side): void {
    const said = events.join(' ');
    if (events.filter((event) => event === 'close').length !== 1 || events.at(-1) !== 'close')
      this.#wrong.push(`closed not once and last: ${said}`);
    for (const event of ['connect', 'end', 'finish', 'error'])
      if (events.filter((one) => one === event).length > 1) this.#wrong.push(`${event} twice: ${said}`);
    if (waiting !== 0) this.#wrong.push(`${waiting} callbacks of writes never came: ${said}`);
    const differs = received.findIndex((byte, i) => byte !== peer?.sent[i]);
    if (peer !== undefined && differs >= 0) this.#wrong.push(`byte ${differs} of a stream is another`);
  }
}

describe('node:net, calls in any order', () => {
  it('keep what is promised', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 2 ** 30 }), async (seed) => {
        expect(await new Play(seed).run(300)).to.equal('');
      }),
      { numRuns: Number(process.env['FC_RUNS'] ?? 5) },
    );
  }).timeout(600_000);
});
