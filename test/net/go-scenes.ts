/** The scenes of test/nettest/facts/main.go, played on a host's loopback: what each step says is to be what Go says. */
import { Buffers } from '../../src/net/buffers.ts';
import { pipe } from '../../src/net/pipe.ts';
import { TCPAddr } from '../../src/net/tcp-addr.ts';
import type { TCPConn } from '../../src/net/tcp-conn.ts';
import type { TCPListener } from '../../src/net/tcp-listener.ts';
import { UDPAddr } from '../../src/net/udp-addr.ts';
import type { Stage, Steps } from './go-stage.ts';

export const scenes: Record<string, Steps> = {};

for (const network of ['foo', '', 'TCP', 'tcp5', 'tcp', 'tcp4', 'tcp6', 'udp', 'udp4']) {
  for (const address of [
    '127.0.0.1:80',
    '',
    '127.0.0.1',
    '::1',
    '[::1]',
    '[::1]80',
    '[::1',
    '::1]:80',
    '127.0.0.1:80:90',
    ':65536',
    '127.0.0.1:-1',
    '127.0.0.1:99999999999',
    ':☺',
    '127.0.0.1:0x50',
    '[::1]:80',
    '[::ffff:127.0.0.1]:80',
    '[::1]:53',
    '127.0.0.1:nosuchsvc',
  ])
    scenes[`dial ${JSON.stringify(network)} ${JSON.stringify(address)}`] = async (stage) => [
      await stage.said(() => stage.host.dial(network, address)),
    ];
}
for (const network of ['foo', 'tcp', 'tcp4', 'tcp6', 'udp']) {
  for (const address of [
    '127.0.0.1:0',
    '127.0.0.1',
    '::1',
    ':65536',
    ':-1',
    ':nosuchsvc',
    '[::1]:0',
    '192.0.2.77:0',
    '[2001:db8::77]:0',
  ]) {
    const rest = `${JSON.stringify(network)} ${JSON.stringify(address)}`;
    scenes[`listen ${rest}`] = async (stage) => [await stage.said(() => stage.host.listen(network, address))];
    scenes[`listenPacket ${rest}`] = async (stage) => [
      await stage.said(() => stage.host.listenPacket(network, address)),
    ];
  }
}

/** `[::1]:9`, `:0`, `<nil>` */
function tcp(text: string): TCPAddr | undefined {
  if (text === '<nil>') return undefined;
  const [, ip, port] = /^\[?(.*?)\]?:([0-9]+)$/.exec(text) as RegExpExecArray;
  return new TCPAddr(ip === '' ? undefined : ip, Number(port));
}

for (const [network, kind, local, remote] of [
  ['tcp', 'tcp', '192.0.2.77:0', '127.0.0.1:9'],
  ['tcp', 'tcp', '[::1]:0', '127.0.0.1:9'],
  ['tcp', 'tcp', '127.0.0.1:0', '[::1]:9'],
  ['tcp4', 'tcp', '[::]:0', '127.0.0.1:9'],
  ['tcp', 'tcp', '[::]:0', '127.0.0.1:9'],
  ['tcp', 'tcp', '[::]:0', '[::1]:9'],
  ['tcp', 'tcp', '0.0.0.0:0', '[::1]:9'],
  ['tcp', 'tcp', ':0', '[::1]:9'],
  ['tcp', 'udp', ':0', '127.0.0.1:9'],
  ['tcp', 'udp', '127.0.0.1:0', '127.0.0.1:9'],
] as const)
  scenes[`dial ${network} from ${kind} ${local} ${remote}`] = async (stage) => {
    const { ip, port } = tcp(local) as TCPAddr;
    const localAddr = (kind === 'tcp' ? new TCPAddr(ip, port) : new UDPAddr(ip, port)) as TCPAddr;
    return [await stage.said(() => stage.host.dial(network, remote, { localAddr }))];
  };

for (const [network, local, remote] of [
  ['udp', '<nil>', '127.0.0.1:9'],
  ['udp', '127.0.0.1:9', '127.0.0.1:9'],
  ['tcp', '<nil>', '<nil>'],
  ['tcp', '127.0.0.1:9', '<nil>'],
  ['tcp4', '<nil>', '[::1]:9'],
  ['tcp6', '<nil>', '127.0.0.1:9'],
  ['tcp6', '127.0.0.1:9', '[::1]:9'],
  ['tcp4', '[::1]:9', '127.0.0.1:9'],
  ['tcp', '<nil>', '127.0.0.1:9'],
  ['tcp', '192.0.2.77:0', '127.0.0.1:9'],
  ['tcp', '<nil>', ':0'],
] as const)
  scenes[`dialTCP ${network} ${local} ${remote}`] = async (stage) => [
    await stage.said(() => stage.host.dialTCP(network, tcp(local), tcp(remote) as TCPAddr)),
  ];

Object.assign(scenes, {
  'dial refused': async (stage) => {
    const remote = await stage.free();
    return [await stage.said(() => stage.host.dial('tcp', remote))];
  },
  'dial with a timeout that is over': async (stage) => {
    const remote = await stage.free();
    return [
      await stage.said(() => stage.host.dial('tcp', remote, { timeout: -1 })),
      await stage.said(() => stage.host.dial('tcp', remote, { deadline: 1 })),
    ];
  },
  'dial with a context that is cancelled': async (stage) => {
    const remote = await stage.free();
    return [await stage.said(() => stage.host.dial('tcp', remote, { signal: AbortSignal.abort() }))];
  },
  'dial with a control that refuses': async (stage) => {
    const remote = await stage.free();
    const control = (network: string, address: string) => {
      throw new Error(`${network} to ${address}`);
    };
    return [await stage.said(() => stage.host.dial('tcp', remote, { control }))];
  },
  'dial from an address in use': async (stage) => {
    const localAddr = (await stage.listener()).addr();
    return [await stage.said(() => stage.host.dial('tcp', '127.0.0.1:9', { localAddr }))];
  },
  'dial this host': async (stage) => {
    const { host } = stage;
    const said: string[] = [];
    for (const [network, at] of [
      ['tcp', ''],
      ['tcp', '0.0.0.0'],
      ['tcp', '[::]'],
      ['tcp4', '[::]'],
      ['tcp6', '[::]'],
      ['tcp', '[::ffff:0.0.0.0]'],
    ] as const) {
      const listener = await host.listen('tcp', ':0');
      const conn = await stage.run(host.dial(network, `${at}:${listener.addr().port}`));
      said.push(`${network} ${at}: ${conn.remoteAddr().ip}`);
      listener.close();
    }
    return said;
  },
  'where a listener is': async ({ host }) => {
    const said: string[] = [];
    for (const [network, address] of [
      ['tcp', ''],
      ['tcp', ':'],
      ['tcp', ':0'],
      ['tcp', '0.0.0.0:0'],
      ['tcp', '[::]:0'],
      ['tcp', '[::ffff:0.0.0.0]:0'],
      ['tcp', '127.0.0.1:0'],
      ['tcp', '[::1]:0'],
      ['tcp', '[::ffff:127.0.0.1]:0'],
      ['tcp4', ''],
      ['tcp4', '0.0.0.0:0'],
      ['tcp4', '[::]:0'],
      ['tcp6', ''],
      ['tcp6', '[::]:0'],
    ] as const) {
      const listener = await host.listen(network, address);
      said.push(`${network} ${JSON.stringify(address)}: ${listener.addr().network()} ${listener.addr().ip}`);
      listener.close();
    }
    return said;
  },
  'a second listen on a port': async (stage) => {
    const forms = [
      ['tcp', ''],
      ['tcp', '0.0.0.0'],
      ['tcp', '[::ffff:0.0.0.0]'],
      ['tcp', '[::]'],
      ['tcp4', ''],
      ['tcp4', '0.0.0.0'],
      ['tcp6', ''],
      ['tcp6', '[::]'],
      ['tcp', '127.0.0.1'],
      ['tcp4', '127.0.0.1'],
      ['tcp', '[::ffff:127.0.0.1]'],
      ['tcp', '[::1]'],
      ['tcp6', '[::1]'],
    ] as const;
    const said: string[] = [];
    for (const first of forms) {
      for (const second of forms) {
        const one = await stage.host.listen(first[0], `${first[1]}:0`);
        const { port } = one.addr();
        stage.names = [[`:${port}`, ':PORT']];
        let two: TCPListener | undefined;
        const text = await stage.said(async () => {
          two = await stage.host.listen(second[0], `${second[1]}:${port}`);
        });
        said.push(`${first.join(' ')}, ${second.join(' ')}: ${text}`);
        one.close();
        two?.close();
      }
    }
    return said;
  },
  'who comes to a listener of both families': async (stage) => {
    const said: string[] = [];
    for (const at of ['127.0.0.1', '[::1]', '[::ffff:127.0.0.1]']) {
      const listener = await stage.host.listen('tcp', ':0');
      const dialling = stage.host.dial('tcp', `${at}:${listener.addr().port}`);
      const [, accepted] = await stage.run(Promise.all([dialling, listener.accept()]));
      said.push(`${at}: ${accepted.remoteAddr().ip} ${accepted.localAddr().ip}`);
    }
    return said;
  },
  listenTCP: async (stage) => {
    const { host } = stage;
    return [
      await stage.said(() => host.listenTCP('udp')),
      await stage.said(() => host.listenTCP('udp', new TCPAddr('127.0.0.1', 0))),
      await stage.said(() => host.listenTCP('tcp', new TCPAddr('192.0.2.77', 0))),
      await stage.said(() => host.listenTCP('tcp4', new TCPAddr('::1', 0))),
      await stage.said(() => host.listenUDP('tcp')),
    ];
  },
} satisfies Record<string, Steps>);

Object.assign(scenes, {
  'accept with a deadline': async (stage) => {
    const listener = await stage.listener();
    const accept = () => stage.said(() => listener.accept());
    const said = [await stage.said(() => listener.setDeadline(1)), await accept()];
    await stage.run(stage.host.dial('tcp', `${listener.addr()}`));
    said.push(await accept(), await stage.said(() => listener.setDeadline(null)), await accept());
    said.push(await stage.said(() => listener.setDeadline(stage.wall(30))), await accept(), await accept());
    return said;
  },
  'accept while the listener is closed, and after': async (stage) => {
    const listener = await stage.listener();
    const accept = () => stage.said(() => listener.accept());
    const said: string[] = [];
    const close = async () => said.push(await stage.said(() => listener.close()));
    said.push(await stage.waiting(accept, close), await accept());
    await close();
    said.push(await stage.said(() => listener.setDeadline(1)));
    return said;
  },
  'a deadline set while accept waits': async (stage) => {
    const listener = await stage.listener();
    const accept = () => stage.said(() => listener.accept());
    return [await stage.waiting(accept, () => listener.setDeadline(1))];
  },
  'a listener closed with a connection in its queue': async (stage) => {
    const listener = await stage.listener();
    const conn = await stage.run(stage.host.dial('tcp', `${listener.addr()}`));
    stage.names.push([`${conn.localAddr()}`, 'L']);
    await stage.settle();
    const said = [await stage.said(() => listener.close()), await stage.said(() => listener.accept())];
    await stage.settle();
    said.push(await stage.read(conn, 1), await stage.read(conn, 1), await stage.write(conn, 1));
    said.push(await stage.said(() => conn.close()));
    return said;
  },
  'a connection reset before it is accepted': async (stage) => {
    const listener = await stage.listener();
    const conn = await stage.run(stage.host.dial('tcp', `${listener.addr()}`));
    stage.names.push([`${conn.localAddr()}`, 'L']);
    conn.setLinger(0);
    conn.close();
    await stage.settle();
    const accepted = await stage.run(listener.accept());
    return ['ok', await stage.read(accepted, 1)];
  },
} satisfies Record<string, Steps>);

/** A scene that begins with a connection. */
function conn(
  name: string,
  steps: (stage: Stage, ends: { dialled: TCPConn; accepted: TCPConn }, say: (text: string) => void) => Promise<void>,
): void {
  scenes[name] = async (stage) => {
    const said: string[] = [];
    await steps(stage, await stage.connected(), (text) => void said.push(text));
    return said;
  };
}

const bytes = (text: string) => new TextEncoder().encode(text);

conn('read with a deadline that is over', async (stage, { dialled, accepted }, say) => {
  await accepted.write(bytes('xyz'));
  await stage.settle();
  say(await stage.said(() => dialled.setReadDeadline(1)));
  say(await stage.read(dialled, 9));
  say(await stage.read(dialled, 0));
  say(await stage.write(dialled, 1));
  say(await stage.said(() => dialled.setReadDeadline(null)));
  say(await stage.read(dialled, 9));
  say(await stage.said(() => dialled.setReadDeadline(stage.wall(0))));
  say(await stage.read(dialled, 9));
  say(await stage.said(() => dialled.setReadDeadline(stage.wall(30))));
  say(await stage.read(dialled, 9));
});

conn('write with a deadline that is over', async (stage, { dialled, accepted }, say) => {
  say(await stage.said(() => dialled.setWriteDeadline(1)));
  say(await stage.write(dialled, 3));
  say(await stage.write(dialled, 0));
  await accepted.write(bytes('x'));
  say(await stage.read(dialled, 9));
  say(await stage.said(() => dialled.setDeadline(null)));
  say(await stage.write(dialled, 3));
  say(await stage.write(dialled, 0));
});

conn('a read and a write that wait, and a deadline is set', async (stage, { dialled }, say) => {
  say(
    await stage.waiting(
      () => stage.read(dialled, 9),
      () => dialled.setReadDeadline(1),
    ),
  );
  say(
    await stage.waiting(
      () => stage.fill(dialled),
      () => dialled.setWriteDeadline(1),
    ),
  );
});

conn('a read that waits, and its deadline is moved', async (stage, { dialled, accepted }, say) => {
  dialled.setReadDeadline(stage.wall(30));
  say(
    await stage.waiting(
      () => stage.read(dialled, 9),
      () => {},
    ),
  );
  dialled.setReadDeadline(stage.wall(50));
  const meanwhile = async () => {
    dialled.setReadDeadline(null);
    await stage.clock.advance(60);
    await accepted.write(bytes('x'));
  };
  say(await stage.waiting(() => stage.read(dialled, 9), meanwhile));
});

conn('calls on a closed connection', async (stage, { dialled }, say) => {
  say(await stage.said(() => dialled.close()));
  say(await stage.read(dialled, 9));
  say(await stage.read(dialled, 0));
  say(await stage.write(dialled, 9));
  say(await stage.write(dialled, 0));
  for (const call of [
    () => dialled.close(),
    () => dialled.closeRead(),
    () => dialled.closeWrite(),
    () => dialled.setDeadline(1),
    () => dialled.setReadDeadline(1),
    () => dialled.setWriteDeadline(1),
    () => dialled.setReadBuffer(1),
    () => dialled.setWriteBuffer(1),
    () => dialled.setNoDelay(true),
    () => dialled.setLinger(1),
    () => dialled.setKeepAlive(true),
    () => dialled.setKeepAlivePeriod(1000),
  ])
    say(await stage.said(call));
  say(await stage.counted(() => new Buffers([bytes('x')]).writeTo(dialled)));
});

conn('a read and a write that wait, and the connection is closed', async (stage, { dialled }, say) => {
  const meanwhile = async () =>
    say(
      await stage.waiting(
        () => stage.fill(dialled),
        () => dialled.close(),
      ),
    );
  say(await stage.waiting(() => stage.read(dialled, 9), meanwhile));
});

conn('the peer closes', async (stage, { dialled, accepted }, say) => {
  await accepted.write(bytes('xyz'));
  accepted.close();
  await stage.settle();
  for (let i = 0; i < 4; i++) say(await stage.read(dialled, 2));
  say(await stage.write(dialled, 1));
  await stage.settle();
  say(await stage.write(dialled, 1));
  say(await stage.read(dialled, 2));
  say(await stage.said(() => dialled.closeWrite()));
  say(await stage.said(() => dialled.close()));
});

conn('the peer closes and had not read all', async (stage, { dialled, accepted }, say) => {
  await accepted.write(bytes('xyz'));
  await dialled.write(bytes('abc'));
  await stage.settle();
  accepted.close();
  await stage.settle();
  for (let i = 0; i < 4; i++) say(await stage.read(dialled, 2));
  say(await stage.write(dialled, 1));
  say(await stage.write(dialled, 0));
  say(await stage.said(() => dialled.closeRead()));
  say(await stage.said(() => dialled.closeWrite()));
  say(await stage.said(() => dialled.setNoDelay(true)));
  say(await stage.said(() => dialled.close()));
});

/** The peer's reset. */
const reset = (peer: TCPConn) => {
  peer.setLinger(0);
  peer.close();
};

conn('the peer resets', async (stage, { dialled, accepted }, say) => {
  await accepted.write(bytes('xyz'));
  await stage.settle();
  reset(accepted);
  await stage.settle();
  for (let i = 0; i < 4; i++) say(await stage.read(dialled, 2));
  say(await stage.write(dialled, 1));
});

conn('the peer resets, and a write finds out', async (stage, { dialled, accepted }, say) => {
  reset(accepted);
  await stage.settle();
  say(await stage.write(dialled, 1));
  say(await stage.write(dialled, 1));
  say(await stage.read(dialled, 1));
});

conn('the peer resets while a read waits', async (stage, { dialled, accepted }, say) => {
  say(
    await stage.waiting(
      () => stage.read(dialled, 9),
      () => reset(accepted),
    ),
  );
  say(await stage.read(dialled, 9));
});

conn('the peer resets while a write waits', async (stage, { dialled, accepted }, say) => {
  say(
    await stage.waiting(
      () => stage.fill(dialled),
      () => reset(accepted),
    ),
  );
  say(await stage.write(dialled, 9));
  say(await stage.read(dialled, 9));
});

conn('closeWrite', async (stage, { dialled, accepted }, say) => {
  await dialled.write(bytes('xyz'));
  say(await stage.said(() => dialled.closeWrite()));
  say(await stage.said(() => dialled.closeWrite()));
  say(await stage.write(dialled, 1));
  say(await stage.write(dialled, 0));
  await stage.settle();
  for (let i = 0; i < 3; i++) say(await stage.read(accepted, 9));
  say(await stage.write(accepted, 2));
  say(await stage.read(dialled, 9));
});

conn('closeWrite while a write waits', async (stage, { dialled }, say) => {
  say(
    await stage.waiting(
      () => stage.fill(dialled),
      () => dialled.closeWrite(),
    ),
  );
});

conn('closeRead', async (stage, { dialled, accepted }, say) => {
  const meanwhile = async () => say(await stage.said(() => dialled.closeRead()));
  say(await stage.waiting(() => stage.read(dialled, 9), meanwhile));
  say(await stage.said(() => dialled.closeRead()));
  say(await stage.read(dialled, 9));
  say(await stage.write(accepted, 3));
  await stage.settle();
  say(await stage.read(dialled, 9));
  say(await stage.read(dialled, 9));
  say(await stage.write(dialled, 1));
});

conn('both sides have ended their streams', async (stage, { dialled, accepted }, say) => {
  dialled.closeWrite();
  accepted.closeWrite();
  await stage.settle();
  say(await stage.said(() => dialled.closeRead()));
  say(await stage.said(() => dialled.closeWrite()));
  say(await stage.read(dialled, 9));
  say(await stage.write(dialled, 9));
  say(await stage.said(() => dialled.setLinger(0)));
  say(await stage.said(() => dialled.close()));
});

conn('options that are taken, and that are not', async (stage, { dialled }, say) => {
  say(await stage.said(() => dialled.setNoDelay(false)));
  say(await stage.said(() => dialled.setLinger(-1)));
  say(await stage.said(() => dialled.setLinger(0)));
  say(await stage.said(() => dialled.setReadBuffer(-1)));
  say(await stage.said(() => dialled.setWriteBuffer(0)));
  say(await stage.said(() => dialled.setKeepAlivePeriod(32_767_000)));
  say(await stage.said(() => dialled.setKeepAlivePeriod(40_000_000)));
});

conn('readFrom', async (stage, { dialled }, say) => {
  const broken = function* () {
    yield bytes('xy');
    throw new Error('out of paper');
  };
  const readFrom = (source: Iterable<Uint8Array>) => stage.counted(() => dialled.readFrom(source));
  say(await readFrom([bytes('xyz')]));
  say(await readFrom(broken()));
  dialled.closeWrite();
  say(await readFrom([bytes('xyz')]));
  say(await readFrom([]));
  dialled.setWriteDeadline(1);
  say(await readFrom([bytes('xyz')]));
  dialled.close();
  say(await readFrom([bytes('xyz')]));
});

conn('buffers', async (stage, { dialled }, say) => {
  say(await stage.counted(() => new Buffers([bytes('ab'), new Uint8Array(0), bytes('c')]).writeTo(dialled)));
  dialled.closeWrite();
  const buffers = new Buffers([bytes('ab'), bytes('c')]);
  say(`${await stage.counted(() => buffers.writeTo(dialled))}, left ${buffers.list.length}`);
  dialled.setWriteDeadline(1);
  say(`${await stage.counted(() => buffers.writeTo(dialled))}, left ${buffers.list.length}`);
});

scenes['pipe'] = async (stage) => {
  const [one, other] = pipe({ clock: stage.clock });
  const said = [`${one.localAddr().network()} ${one.remoteAddr()}`];
  one.setDeadline(1);
  said.push(await stage.read(one, 1), await stage.write(one, 1));
  one.setDeadline(null);
  void other.write(new Uint8Array(3));
  said.push(await stage.read(one, 2), await stage.read(one, 2));
  void other.write(new Uint8Array(0));
  said.push(await stage.read(one, 2));
  for (const end of [() => one.setWriteDeadline(1), () => other.close()]) {
    one.setWriteDeadline(null);
    const meanwhile = async () => {
      said.push(await stage.read(other, 2));
      end();
    };
    said.push(await stage.waiting(() => stage.write(one, 5), meanwhile));
  }
  said.push(await stage.read(one, 1), await stage.write(one, 1));
  said.push(await stage.said(() => one.setDeadline(1)), await stage.said(() => other.setDeadline(1)));
  said.push(await stage.read(other, 1), await stage.said(() => other.close()), await stage.said(() => one.close()));
  said.push(await stage.read(one, 1));
  return said;
};

scenes['datagrams'] = async (stage) => {
  const server = await stage.host.listenUDP('udp', new UDPAddr('127.0.0.1', 0));
  const conn = await stage.host.dialUDP('udp', undefined, server.localAddr());
  stage.names = [
    [`${conn.localAddr()}`, 'L'],
    [`${server.localAddr()}`, 'R'],
  ];
  const into = new Uint8Array(1);
  const said = [
    await stage.said(() => conn.writeTo(into, server.localAddr())),
    await stage.said(() => server.write(into)),
  ];
  said.push(await stage.write(conn, 70_000), await stage.said(() => conn.setDeadline(1)));
  said.push(await stage.read(conn, 1), await stage.write(conn, 1));
  server.setReadDeadline(1);
  said.push(await stage.said(() => server.readFrom(into)));
  conn.setDeadline(null);
  said.push(await stage.said(() => server.close()), await stage.write(conn, 1));
  await stage.settle();
  said.push(await stage.read(conn, 1), await stage.said(() => server.close()));
  said.push(
    await stage.said(() => server.writeTo(into, conn.localAddr())),
    await stage.said(() => server.setDeadline(1)),
  );
  said.push(await stage.said(() => conn.close()), await stage.read(conn, 1));
  return said;
};
