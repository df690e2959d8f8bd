/**
 * The kernel's side of a scene: a process of its own in the scene's namespace, with node:net. It does what kernel.ts tells it, one act
 * after the other or several at once.
 */
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { exchangeSocket, type Outcome, type Plan } from './flow.ts';

let gathered: Socket[] = [];

/** What a server of the kernel's does with each connection. */
export type Behaviour = { readonly plan: Plan } | 'echo' | 'hold';

/** A listener's outcomes: those of `plan`, in the order in which they end. */
const outcomes = new Map<number, { done: Outcome[]; waiting: ((outcome: Outcome) => void)[] }>();

export const acts = {
  /** @returns the port */
  async listen(behaviour: Behaviour, backlog = 511, host = '10.9.0.1'): Promise<number> {
    const server = createServer({ allowHalfOpen: true, noDelay: true });
    server.listen({ port: 0, host, backlog });
    await once(server, 'listening');
    const { port } = server.address() as { port: number };
    const ends = { done: [] as Outcome[], waiting: [] as ((outcome: Outcome) => void)[] };
    outcomes.set(port, ends);
    server.on('connection', (socket) => {
      if (behaviour === 'hold') return;
      if (behaviour === 'echo') {
        socket.on('error', () => {});
        socket.pipe(socket);
        return;
      }
      void exchangeSocket(socket, behaviour.plan).then((outcome) => {
        const waiting = ends.waiting.shift();
        if (waiting === undefined) ends.done.push(outcome);
        else waiting(outcome);
      });
    });
    return port;
  },

  /** The outcome of the next connection of a listener with a plan. */
  served(port: number): Promise<Outcome> | Outcome {
    const ends = outcomes.get(port);
    if (ends === undefined) throw new Error(`nobody listens on ${port}`);
    return ends.done.shift() ?? new Promise((resolve) => ends.waiting.push(resolve));
  },

  /** The process does nothing for `ms`: nothing is accepted. */
  freeze(ms: number): void {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
  },

  /** Dials us and follows a plan. */
  dial(port: number, plan: Plan, host = '10.9.0.2'): Promise<Outcome> {
    const socket = connect({ port, host, allowHalfOpen: true, noDelay: true });
    return exchangeSocket(socket, plan);
  },

  /** Dials, to be refused, or not to be answered for 100 ms. @returns what became of it */
  async knock(port: number, host: string): Promise<string> {
    const socket = connect({ port, host });
    socket.setTimeout(100, () => socket.destroy(new Error('silence')));
    const [error] = (await once(socket, 'error')) as [NodeJS.ErrnoException];
    return error.code ?? error.message;
  },

  /** As many clients at once, each of which sends a line and waits for its echo; they stay. @returns how many got it */
  async gather(port: number, count: number): Promise<number> {
    const lines = Array.from({ length: count }, (_, i) => `client ${i} of ${count}\n`);
    gathered = lines.map(() => connect({ port, host: '10.9.0.2' }));
    const echoed = await Promise.all(gathered.map((socket, i) => echoOf(socket, lines[i] as string)));
    return echoed.filter(Boolean).length;
  },

  /** Those that were gathered end. */
  async disperse(): Promise<void> {
    const ended = gathered.map((socket) => once(socket, 'close'));
    for (const socket of gathered) socket.end();
    await Promise.all(ended);
    gathered = [];
  },

  /** Connections one after the other, `width` at a time: connect, send, echo, close. @returns how many got their echo */
  async churn(port: number, count: number, width: number): Promise<number> {
    let served = 0;
    let started = 0;
    const worker = async () => {
      while (started < count) {
        const line = `short ${started++}\n`;
        const socket = connect({ port, host: '10.9.0.2' });
        if (await echoOf(socket, line)) served++;
        socket.end();
        await once(socket, 'close');
      }
    };
    await Promise.all(Array.from({ length: width }, worker));
    return served;
  },
};

async function echoOf(socket: Socket, line: string): Promise<boolean> {
  socket.write(line);
  let text = '';
  while (text.length < line.length) {
    const [data] = (await once(socket, 'data')) as [Buffer];
    text += data.toString();
  }
  return text === line;
}

/** A call, its answer. */
export interface Call {
  readonly id: number;
  readonly act: keyof typeof acts;
  readonly args: readonly unknown[];
}
export interface Answer {
  readonly id: number;
  readonly value?: unknown;
  readonly error?: string;
}

/** A parent that ended before its answer has no use for it. */
const answer = (message: Answer) => void process.send?.(message, () => {});

process.on('message', ({ id, act, args }: Call) => {
  const play = acts[act] as (...args: readonly unknown[]) => unknown;
  Promise.resolve()
    .then(() => play(...args))
    .then(
      (value) => answer({ id, value }),
      (error: Error) => answer({ id, error: error.stack ?? error.message }),
    );
});
process.on('disconnect', () => process.exit());
