/** The scenes of test/nettest/facts/more.go about connections, listeners and pipes, played on a host's loopback. */
import type { OpError } from '../../src/net/op-error.ts';
import { pipe } from '../../src/net/pipe.ts';
import type { TCPConn } from '../../src/net/tcp-conn.ts';
import { UDPAddr } from '../../src/net/udp-addr.ts';
import type { Stage, Steps } from './go-stage.ts';
import { outcome, scene } from './go-whole.ts';

export const scenes: Record<string, Steps> = {};

/** The calls of a scene on a connection. */
class Ends {
  readonly stage: Stage;
  readonly dialled: TCPConn;
  readonly accepted: TCPConn;
  readonly say: (text: string) => void;

  constructor(stage: Stage, ends: { dialled: TCPConn; accepted: TCPConn }, say: (text: string) => void) {
    this.stage = stage;
    this.dialled = ends.dialled;
    this.accepted = ends.accepted;
    this.say = say;
  }

  settle(): Promise<void> {
    return this.stage.settle();
  }

  /** What a read or a write says: how many bytes, and how it ended. */
  async counted(call: () => Promise<number | null>): Promise<string> {
    let count = 0;
    const text = await outcome(
      this.stage,
      async () => {
        try {
          const got = await call();
          count = got ?? 0;
          return got;
        } catch (error) {
          count = (error as OpError).bytesWritten ?? 0;
          throw error;
        }
      },
      (got) => (got === null ? 'EOF' : 'ok'),
    );
    return `${count} ${text}`;
  }

  async read(size: number): Promise<void> {
    this.say(`read ${await this.counted(() => this.dialled.read(new Uint8Array(size)))}`);
  }

  async write(size: number): Promise<void> {
    this.say(`write ${await this.counted(() => this.dialled.write(new Uint8Array(size)))}`);
  }

  async does(what: string, call: () => unknown): Promise<void> {
    this.say(`${what} ${await outcome(this.stage, call)}`);
  }

  async everything(): Promise<void> {
    const { dialled } = this;
    await this.read(9);
    await this.read(9);
    await this.read(0);
    await this.write(1);
    await this.settle();
    await this.write(1);
    await this.write(0);
    await this.does('noDelay', () => dialled.setNoDelay(true));
    await this.does('keepAlive', () => dialled.setKeepAlive(true));
    await this.does('keepAlivePeriod', () => dialled.setKeepAlivePeriod(1000));
    await this.does('linger', () => dialled.setLinger(1));
    await this.does('linger', () => dialled.setLinger(-1));
    await this.does('readBuffer', () => dialled.setReadBuffer(4096));
    await this.does('writeBuffer', () => dialled.setWriteBuffer(4096));
    await this.does('deadline', () => dialled.setDeadline(null));
    await this.does('readFrom', () => dialled.readFrom([bytes('x')]));
    await this.does('copy', async () => {
      for await (const _ of dialled);
    });
    await this.does('buffers', () => dialled.writev([bytes('x'), bytes('y')]));
    await this.does('closeRead', () => dialled.closeRead());
    await this.does('closeWrite', () => dialled.closeWrite());
    await this.does('close', () => dialled.close());
    await this.does('close', () => dialled.close());
    await this.does('readBuffer', () => dialled.setReadBuffer(4096));
    await this.does('deadline', () => dialled.setDeadline(null));
    let text = `local ${dialled.localAddr()} ${dialled.remoteAddr()}`;
    for (const [found, called] of this.stage.names) text = text.replace(found, called);
    this.say(text);
  }
}

const bytes = (text: string) => new TextEncoder().encode(text);

function ends(name: string, steps: (ends: Ends) => Promise<void>): void {
  scene(scenes, `whole: ${name}`, async (stage, say) => steps(new Ends(stage, await stage.connected(), say)));
}

const reset = (conn: TCPConn) => {
  conn.setLinger(0);
  conn.close();
};

ends("everything after the peer's close", async (at) => {
  at.accepted.close();
  await at.settle();
  await at.everything();
});
ends("everything after the peer's reset", async (at) => {
  reset(at.accepted);
  await at.settle();
  await at.everything();
});
ends("everything after the peer's closeWrite", async (at) => {
  at.accepted.closeWrite();
  await at.settle();
  await at.everything();
});
ends("everything after the peer's closeRead", async (at) => {
  at.accepted.closeRead();
  await at.accepted.write(bytes('xyz'));
  at.accepted.closeWrite();
  await at.settle();
  await at.everything();
});
ends('everything after closeWrite', async (at) => {
  at.dialled.closeWrite();
  await at.accepted.write(bytes('xyz'));
  at.accepted.close();
  await at.settle();
  await at.everything();
});
ends('everything after closeRead', async (at) => {
  at.dialled.closeRead();
  await at.everything();
});
ends('everything after close', async (at) => {
  at.dialled.close();
  await at.everything();
});
ends('everything after a deadline', async (at) => {
  const { dialled } = at;
  dialled.setDeadline(1);
  await at.read(1);
  await at.write(1);
  await at.does('readFrom', () => dialled.readFrom([bytes('x')]));
  await at.does('buffers', () => dialled.writev([bytes('x'), bytes('y')]));
  await at.does('closeWrite', () => dialled.closeWrite());
  await at.write(1);
  dialled.setWriteDeadline(null);
  await at.write(1);
  await at.does('close', () => dialled.close());
  await at.read(1);
});
ends('closeRead, closeWrite, and both again', async (at) => {
  const { dialled, accepted } = at;
  for (let i = 0; i < 2; i++) {
    await at.does('closeRead', () => dialled.closeRead());
    await at.does('closeWrite', () => dialled.closeWrite());
  }
  await at.settle();
  await at.read(1);
  await at.write(1);
  at.say(`peer reads ${await at.counted(() => accepted.read(new Uint8Array(1)))}`);
  await at.does('peer closes', () => accepted.close());
  await at.settle();
  await at.does('closeRead', () => dialled.closeRead());
  await at.does('closeWrite', () => dialled.closeWrite());
  await at.read(1);
  await at.does('close', () => dialled.close());
});
ends('reset with data not read', async (at) => {
  await at.accepted.write(bytes('xyz'));
  await at.settle();
  reset(at.accepted);
  await at.settle();
  await at.write(1);
  for (let i = 0; i < 3; i++) await at.read(2);
  await at.write(1);
  await at.does('closeRead', () => at.dialled.closeRead());
  await at.does('close', () => at.dialled.close());
});
ends('closed with data not read', async (at) => {
  const { accepted } = at;
  await accepted.write(bytes('xyz'));
  await at.settle();
  await at.does('close', () => at.dialled.close());
  await at.settle();
  for (let i = 0; i < 2; i++) at.say(`peer reads ${await at.counted(() => accepted.read(new Uint8Array(1)))}`);
});
ends('linger', async (at) => {
  for (const seconds of [-1, -99, 0, 1, 65_535, 2 ** 30])
    await at.does(`${seconds}`, () => at.dialled.setLinger(seconds));
});
ends("buffers' sizes", async (at) => {
  for (const size of [-1, 0, 1, 4096, 2 ** 30, 2 ** 31 - 1]) {
    const read = await outcome(at.stage, () => at.dialled.setReadBuffer(size));
    await at.does(`${size} ${read}`, () => at.dialled.setWriteBuffer(size));
  }
});
ends('a copy out of a connection that is reset', async (at) => {
  const got: number[] = [];
  const copying = () =>
    outcome(at.stage, async () => {
      for await (const chunk of at.dialled) got.push(chunk.length);
    });
  const meanwhile = async () => {
    await at.accepted.write(bytes('xyz'));
    await at.settle();
    reset(at.accepted);
  };
  const text = await at.stage.waiting(copying, meanwhile);
  at.say(`${got} ${text}`);
});

scene(scenes, 'whole: accept', async (stage, say) => {
  const listener = await stage.listener();
  const accept = () => outcome(stage, () => listener.accept());
  listener.setDeadline(1);
  say(await accept());
  say(await accept());
  listener.setDeadline(null);
  say(await stage.waiting(accept, async () => say(await outcome(stage, () => listener.close()))));
  say(await accept());
  say(await outcome(stage, () => listener.close()));
  say(await outcome(stage, () => listener.setDeadline(1)));
  say(`${listener.addr()}`.replace(stage.names[0]?.[0] as string, 'A'));
});

scene(scenes, 'whole: pipe', async (stage, say) => {
  const [one, other] = pipe({ clock: stage.clock });
  const does = async (call: () => unknown) => {
    const text = await outcome(stage, call, (got) => (got === null ? 'EOF' : 'ok'));
    say(text);
  };
  one.setDeadline(1);
  await does(() => one.read(new Uint8Array(1)));
  await does(() => one.write(new Uint8Array(1)));
  one.close();
  for (const end of [one, other]) {
    await does(() => end.read(new Uint8Array(1)));
    await does(() => end.write(new Uint8Array(1)));
    await does(() => end.setDeadline(1));
    await does(() => end.setReadDeadline(1));
    await does(() => end.setWriteDeadline(1));
  }
  await does(() => other.close());
});

scene(scenes, 'whole: datagrams', async (stage, say) => {
  const { host } = stage;
  const server = await host.listenUDP('udp', new UDPAddr('127.0.0.1', 0));
  const conn = await host.dialUDP('udp', undefined, server.localAddr());
  stage.names = [
    [`${conn.localAddr()}`, 'L'],
    [`${server.localAddr()}`, 'R'],
  ];
  const does = async (call: () => unknown) => say(await outcome(stage, call));
  const one = new Uint8Array(1);
  const many = new Uint8Array(70_000);
  await does(() => conn.writeTo(one, server.localAddr()));
  await does(() => server.write(one));
  await does(() => server.writeTo(many, conn.localAddr()));
  await does(() => conn.write(many));
  await does(() => server.writeTo(one, new UDPAddr('::1', 9)));
  await does(() => server.writeTo(one, new UDPAddr('127.0.0.1', 0)));
  await does(() => server.writeTo(one, new UDPAddr('100.64.0.1', 9)));
  await does(() => server.writeTo(one, new UDPAddr('255.255.255.255', 9)));
  server.setDeadline(1);
  await does(() => server.readFrom(many));
  await does(() => server.writeTo(one, conn.localAddr()));
  server.close();
  await does(() => server.readFrom(many));
  await does(() => server.writeTo(one, conn.localAddr()));
  await does(() => server.close());
  await does(() => server.setDeadline(1));
  await does(() => server.setReadBuffer(1));
  await does(() => conn.write(one));
  await stage.settle();
  await does(() => conn.read(many));
  await does(() => conn.write(one));
  await stage.settle();
  await does(() => conn.write(one));
  await does(() => conn.close());
  await does(() => conn.write(one));
  await does(() => conn.read(many));
  await does(() => conn.close());
});

scene(scenes, 'whole: writeTo', async (stage, say) => {
  const taking = { write: async (some: Uint8Array) => some.length };
  const full = {
    write: async () => {
      throw Object.assign(new Error('full'), { bytesWritten: 1 });
    },
  };
  for (const end of ['close', 'reset', 'nothing']) {
    for (const [name, sink] of Object.entries({ '*bytes.Buffer': taking, 'main.full': full })) {
      const { dialled, accepted } = await stage.connected();
      const at = new Ends(stage, { dialled, accepted }, say);
      await accepted.write(bytes('xyz'));
      await stage.settle();
      if (end === 'reset') accepted.setLinger(0);
      if (end === 'nothing') dialled.setReadDeadline(stage.wall(30));
      else accepted.close();
      await stage.settle();
      for (let i = 0; i < 4; i++) {
        if (i === 3) dialled.close();
        say(`${end} ${name} ${await at.counted(() => dialled.writeTo(sink))}`);
      }
    }
  }
});
