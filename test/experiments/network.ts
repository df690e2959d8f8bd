/**
 * Bulk flows from one host to another through one link: a rate with a drop-tail queue before it, a delay, and losses. On a clock that
 * does not wait for promises, without traces.
 */
import { type ImpairedLink, type Impairment, impaired } from '../../src/link/impaired.ts';
import { createPipe } from '../../src/link/pipe.ts';
import { AF_INET, SOCK_STREAM } from '../../src/socket/constants.ts';
import { createSocket } from '../../src/socket/create-socket.ts';
import { EINPROGRESS } from '../../src/socket/errno.ts';
import { Socket } from '../../src/socket/socket.ts';
import { Stack } from '../../src/stack/stack.ts';
import type { TcpConfig } from '../../src/tcp/config.ts';
import type { ControlBlock } from '../../src/tcp/control-block.ts';
import { seededRandom } from '../../src/time/random.ts';
import { type Prefix, parsePrefix } from '../../src/wire/address.ts';
import { EventClock } from './event-clock.ts';

const SENDER = '10.0.0.1/24';
const RECEIVER = '10.0.0.2/24';
const PORT = 5001;
/** More than any window here: neither end's buffer is what holds a flow back. */
const BUFFER = 48 * 1024 * 1024;
const CHUNK = new Uint8Array(64 * 1024);
/** What a receiver does not look at. */
const SINK = new Uint8Array(64 * 1024);

export interface NetworkOptions {
  /** Round trip of an empty path, ms. */
  readonly rtt: number;
  /** Name of the congestion control of each flow. */
  readonly controls: readonly string[];
  /** When each flow starts, ms; 0 by default. */
  readonly starts?: readonly number[];
  /** What happens to the packets of the senders, but for the delay. */
  readonly forward?: Impairment;
  readonly seed?: number;
  readonly sysctl?: Partial<TcpConfig>;
}

export class Network {
  readonly clock = new EventClock();
  readonly sender: Stack;
  readonly receiver: Stack;
  readonly link: ImpairedLink;
  readonly flows: readonly Flow[];

  constructor(options: NetworkOptions) {
    const { rtt, controls, starts = [], forward = {}, seed = 1 } = options;
    const [near, far] = createPipe({ mtu: 1500 });
    const delay = rtt / 2;
    this.link = impaired(near, { seed, out: { ...forward, delay }, in: { delay } });
    const sysctl: Partial<TcpConfig> = {
      tcp_rmem: [4096, BUFFER, BUFFER],
      tcp_wmem: [4096, BUFFER, BUFFER],
      ...options.sysctl,
    };
    const host = (name: string) => new Stack({ clock: this.clock, random: seededRandom(`${seed} ${name}`), sysctl });
    this.sender = host('sender');
    this.receiver = host('receiver');
    this.sender.addInterface(this.link, { addresses: [prefix(SENDER)] });
    this.receiver.addInterface(far, { addresses: [prefix(RECEIVER)] });
    this.flows = controls.map((control, i) => new Flow(this, control, PORT + i, starts[i] ?? 0));
  }

  close(): void {
    this.sender.close();
    this.receiver.close();
  }
}

/** Writes as much as there is room for, and reads what arrives. */
export class Flow {
  /** Payload bytes read by the receiver. */
  received = 0;
  connection!: ControlBlock;

  constructor(network: Network, control: string, port: number, start: number) {
    const listener = made(network.receiver);
    listener.bind({ address: prefix(RECEIVER).address, port });
    listener.listen(1);
    listener.onReady = () => this.#accept(listener);
    network.clock.timer(() => this.#connect(network.sender, control, port)).set(start);
  }

  #accept(listener: Socket): void {
    const accepted = listener.accept();
    if (!(accepted instanceof Socket)) return;
    accepted.onReady = () => {
      for (let got = accepted.recv(SINK); got > 0; got = accepted.recv(SINK)) this.received += got;
    };
  }

  #connect(stack: Stack, control: string, port: number): void {
    const socket = made(stack);
    socket.settings.congestion = control;
    socket.onReady = () => {
      while (socket.send(CHUNK) === CHUNK.length);
    };
    const result = socket.connect({ address: prefix(RECEIVER).address, port });
    if (result !== -EINPROGRESS) throw new Error(`connect: ${result}`);
    this.connection = socket.connection as ControlBlock;
  }
}

function prefix(text: string): Prefix {
  return parsePrefix(text) as Prefix;
}

function made(stack: Stack): Socket {
  const socket = createSocket(stack, AF_INET, SOCK_STREAM, 0);
  if (typeof socket === 'number') throw new Error(`socket: ${socket}`);
  return socket;
}
