/** The scenes of test/nettest/facts/more.go about addresses and dialers, and those of keepalive.go, played on a host's loopback. */
import { Dialer, ListenConfig } from '../../src/net/dialer.ts';
import {
  AddrError,
  Errno,
  errClosed,
  errDeadlineExceeded,
  InvalidAddrError,
  ParseError,
  SyscallError,
  UnknownNetworkError,
} from '../../src/net/errors.ts';
import { cidrMask, IPMask, parseCIDR, parseIP } from '../../src/net/ip-net.ts';
import type { KeepAliveConfig } from '../../src/net/keep-alive.ts';
import { OpError } from '../../src/net/op-error.ts';
import { lookupPort } from '../../src/net/ports.ts';
import { resolveTCPAddr } from '../../src/net/resolve.ts';
import { TCPAddr } from '../../src/net/tcp-addr.ts';
import { UDPAddr } from '../../src/net/udp-addr.ts';
import {
  IPPROTO_TCP,
  SO_KEEPALIVE,
  SOL_SOCKET,
  TCP_KEEPCNT,
  TCP_KEEPIDLE,
  TCP_KEEPINTVL,
  TCP_NODELAY,
} from '../../src/socket/constants.ts';
import { ECONNRESET, EINVAL, ENOPROTOOPT, ETIMEDOUT } from '../../src/socket/errno.ts';
import type { Socket } from '../../src/socket/socket.ts';
import type { IpAddress } from '../../src/wire/address.ts';
import type { Steps } from './go-stage.ts';
import { outcome, scene } from './go-whole.ts';

export const scenes: Record<string, Steps> = {};

const closed = (conn: { close(): void }) => {
  conn.close();
  return 'ok';
};

/** `[fe80::1%eth0]:9`, `:0`, `nil` */
function parts(text: string): [ip: string | undefined, port: number, zone: string | undefined] {
  const [, ip, , zone, port] = /^\[?([^%\]]*?)(%([^\]]*))?\]?:([0-9]+)$/.exec(text) as unknown as string[];
  return [ip === '' ? undefined : ip, Number(port), zone];
}
const tcp = (text: string) => (text === 'nil' ? undefined : new TCPAddr(...parts(text)));
const udp = (text: string) => (text === 'nil' ? undefined : new UDPAddr(...parts(text)));

const LOCALS = ['nil', ':0', '0.0.0.0:0', '[::]:0', '127.0.0.1:0', '[::1]:0', '192.0.2.77:0', '[2001:db8::77]:0'];
const REMOTES = ['127.0.0.1:9', '[::1]:9', ':9', '0.0.0.0:9', '[::]:9', '127.0.0.1:0'];

for (const network of ['tcp', 'tcp4', 'tcp6']) {
  scene(scenes, `whole: dialTCP ${network}`, async (stage, say) => {
    for (const l of LOCALS) {
      for (const r of REMOTES)
        say(`${l} ${r}: ${await outcome(stage, () => stage.host.dialTCP(network, tcp(l), tcp(r) as TCPAddr), closed)}`);
    }
  });
  scene(scenes, `whole: dial from ${network}`, async (stage, say) => {
    for (const l of LOCALS.slice(1)) {
      for (const r of REMOTES)
        say(
          `${l} ${r}: ${await outcome(stage, () => new Dialer(stage.host, { localAddr: tcp(l) }).dial(network, r), closed)}`,
        );
    }
  });
  scene(scenes, `whole: listenTCP ${network}`, async (stage, say) => {
    for (const l of [
      ...LOCALS,
      '[::ffff:127.0.0.1]:0',
      '255.255.255.255:0',
      '[ff02::1]:0',
      '[fe80::77]:0',
      '[fe80::77%nowhere]:0',
      '[::1%nowhere]:0',
      '127.5.5.5:0',
      '0.0.0.5:0',
    ]) {
      const call = () => stage.host.listenTCP(network, tcp(l));
      const told = (listener: Awaited<ReturnType<typeof call>>) => {
        listener.close();
        return `${listener.addr().ip} ${listener.addr().zone}`;
      };
      say(`${l}: ${await outcome(stage, call, told)}`);
    }
  });
}
for (const network of ['udp', 'udp4', 'udp6']) {
  scene(scenes, `whole: dialUDP ${network}`, async (stage, say) => {
    for (const l of LOCALS) {
      for (const r of REMOTES)
        say(
          `${l} ${r}: ${await outcome(
            stage,
            () => stage.host.dialUDP(network, udp(l), udp(r) as UDPAddr),
            (conn) => {
              conn.close();
              return `${conn.localAddr().ip} ${conn.remoteAddr()}`;
            },
          )}`,
        );
    }
  });
  scene(scenes, `whole: listenUDP ${network}`, async (stage, say) => {
    for (const l of [
      ...LOCALS,
      '[::ffff:127.0.0.1]:0',
      '[fe80::77]:0',
      '[::1%nowhere]:0',
      '127.5.5.5:0',
      '224.0.0.254:0',
      '[ff02::fb]:0',
      '255.255.255.255:0',
    ])
      say(
        `${l}: ${await outcome(
          stage,
          () => stage.host.listenUDP(network, udp(l)),
          (conn) => {
            conn.close();
            return `${conn.localAddr().ip}`;
          },
        )}`,
      );
  });
}

scene(scenes, 'whole: dials of odd addresses', async (stage, say) => {
  for (const r of [
    '255.255.255.255:9',
    '224.0.0.1:9',
    '0.0.0.1:9',
    '240.0.0.1:9',
    '127.255.255.255:9',
    '127.9.9.9:9',
    '[ff02::1]:9',
    '[fe80::1]:9',
    '[fe80::1%nowhere]:9',
    '[::1%nowhere]:9',
    '[::ffff:127.0.0.1]:9',
    '[::127.0.0.1]:9',
    '100.64.0.1:9',
    '[2001:db8::1]:9',
    '[100::1]:9',
    '[::1]:0',
    '127.0.0.1:0',
    '127.0.0.1:discard',
  ]) {
    for (const network of ['tcp', 'tcp4', 'tcp6'])
      say(`${network} ${r}: ${await outcome(stage, () => stage.host.dial(network, r))}`);
  }
});

const PACKET_FORMS = [
  ['udp', ''],
  ['udp', '127.0.0.1'],
  ['udp', '0.0.0.0'],
  ['udp', '[::ffff:0.0.0.0]'],
  ['udp', '[::]'],
  ['udp4', ''],
  ['udp4', '0.0.0.0'],
  ['udp6', ''],
  ['udp6', '[::]'],
  ['udp', '[::1]'],
  ['udp4', '127.0.0.1'],
] as const;
scene(scenes, 'whole: a second listenPacket on a port', async (stage, say) => {
  for (const first of PACKET_FORMS) {
    for (const second of PACKET_FORMS) {
      const one = await stage.host.listenPacket(first[0], `${first[1]}:0`);
      const { port } = one.localAddr();
      stage.names = [[`:${port}`, ':PORT']];
      const call = () => stage.host.listenPacket(second[0], `${second[1]}:${port}`);
      const told = (two: Awaited<ReturnType<typeof call>>) => {
        two.close();
        return `${two.localAddr().ip}`;
      };
      say(`${first.join(' ')}, ${second.join(' ')}: ${await outcome(stage, call, told)}`);
      one.close();
    }
  }
});

scene(scenes, 'whole: who reaches whom', async (stage, say) => {
  for (const l of [
    ['tcp', ''],
    ['tcp', '0.0.0.0'],
    ['tcp', '[::ffff:0.0.0.0]'],
    ['tcp', '[::]'],
    ['tcp4', ''],
    ['tcp4', '0.0.0.0'],
    ['tcp6', ''],
    ['tcp6', '[::]'],
    ['tcp', '127.0.0.1'],
    ['tcp', '[::1]'],
    ['tcp', '[::ffff:127.0.0.1]'],
  ] as const) {
    const listener = await stage.host.listen(l[0], `${l[1]}:0`);
    const { port } = listener.addr();
    stage.names = [[`:${port}`, ':PORT']];
    for (const network of ['tcp', 'tcp4', 'tcp6']) {
      for (const to of ['127.0.0.1', '[::1]', '[::ffff:127.0.0.1]', '', '0.0.0.0', '[::]', '127.0.0.9']) {
        const reach = async () => {
          const conn = await stage.host.dial(network, `${to}:${port}`);
          const accepted = await listener.accept();
          conn.close();
          accepted.close();
          const ips = [conn.localAddr(), conn.remoteAddr(), accepted.localAddr(), accepted.remoteAddr()];
          return `${ips[0]?.ip} ${ips[1]?.ip}, ${ips[2]?.ip} ${ips[3]?.ip}`;
        };
        say(`${l.join(' ')}, ${network} ${to}: ${await outcome(stage, reach, String)}`);
      }
    }
    listener.close();
  }
});

scene(scenes, 'whole: what addresses are', async (_stage, say) => {
  const masks = [cidrMask(12, 32), cidrMask(108, 128), cidrMask(7, 128), new IPMask([255, 0, 255, 0])];
  for (const text of (
    '0.0.0.0 0.0.0.1 10.0.0.1 11.0.0.1 127.0.0.1 128.0.0.1 169.254.1.1 169.255.1.1 172.15.0.1 172.16.0.1 172.31.255.255 172.32.0.0 ' +
    '192.168.0.1 192.169.0.1 223.255.255.255 224.0.0.0 224.0.0.255 224.0.1.0 239.1.1.1 240.0.0.1 255.255.255.255 255.255.255.254 ' +
    ':: ::1 ::2 fbff::1 fc00::1 fdff::1 fe00::1 fe80::1 febf::1 fec0::1 ff01::1 ff02::1 ff11::1 ff12::1 ff05::1 ff0e::1 2001:db8::1'
  ).split(' ')) {
    const ip = parseIP(text) as IpAddress;
    const is = [ip.isUnspecified, ip.isLoopback, ip.isPrivate, ip.isMulticast, ip.isInterfaceLocalMulticast];
    is.push(ip.isLinkLocalMulticast, ip.isLinkLocalUnicast, ip.isGlobalUnicast);
    say(`${text} ${is.join(' ')} ${masks.map((mask) => mask.apply(ip) ?? '<nil>').join(' ')}`);
  }
});

scene(scenes, 'whole: two who listen to a group', async (stage, say) => {
  const one = await stage.host.listenPacket('udp4', '224.0.0.254:0');
  const { port } = one.localAddr();
  stage.names = [[`:${port}`, ':PORT']];
  for (const at of ['224.0.0.254', '224.0.0.253', '127.0.0.1', '', '0.0.0.0']) {
    for (const network of ['udp', 'udp4']) {
      const told = await outcome(
        stage,
        () => stage.host.listenPacket(network, `${at}:${port}`),
        (two) => {
          two.close();
          return `${two.localAddr()}`.replace(`:${port}`, ':PORT');
        },
      );
      say(`${network} ${at}: ${told}`);
    }
  }
});

scene(scenes, 'whole: resolveTCPAddr', async (stage, say) => {
  for (const network of ['tcp', 'tcp4', 'tcp6', '', 'udp', 'http']) {
    for (const a of [
      '',
      ':',
      ':80',
      '127.0.0.1:80',
      '[::1]:80',
      '[::ffff:1.2.3.4]:80',
      '[fe80::1%eth0]:80',
      '[::%z]:80',
      '[1.2.3.4]:80',
      '1.2.3.4',
      '::1',
      '[::1]',
      '[::1]80',
      '[::1]:80:90',
      ':65536',
      ':-1',
      ':+80',
      ':00080',
      ':http',
      ':HTTPS',
      ':nosuch',
      ':0x50',
      ':99999999999x',
      '[::]:0',
      '0.0.0.0:0',
      '[]:80',
      '[:80',
      ']:80',
    ])
      say(`${network} ${a}: ${await outcome(stage, () => resolveTCPAddr(network, a), String)}`);
  }
});

scene(scenes, 'whole: lookupPort', async (stage, say) => {
  for (const network of ['tcp', 'tcp4', 'udp', 'udp6', '', 'ip', 'bad', 'TCP']) {
    for (const service of [
      '0',
      '80',
      '65535',
      '65536',
      '-1',
      'http',
      'HTTP',
      'domain',
      'nosuch',
      '',
      '+',
      '99999999999',
      '99999999999x',
      '1 ',
    ])
      say(`${network} ${service}: ${await outcome(stage, () => lookupPort(network, service), String)}`);
  }
});

scene(scenes, 'whole: parseCIDR', async (stage, say) => {
  for (const text of [
    '',
    '10.9.0.1',
    '10.9.0.1/',
    '10.9.0.1/33',
    '10.9.0.1/-1',
    '10.9.0.1/08',
    '10.9.0.1/24',
    '10.9.0.1/+8',
    '::1/129',
    'fe80::1%a/64',
    '2001:db8::1/48',
    '::ffff:1.2.3.4/104',
    '01.2.3.4/8',
    '/8',
    'x/8',
    '0.0.0.0/0',
    '::/0',
    '1.2.3.4/8/8',
  ])
    say(
      `${text}: ${await outcome(
        stage,
        () => parseCIDR(text),
        ({ ip, net }) => `${ip} ${net} ${net.mask}`,
      )}`,
    );
});

scene(scenes, 'whole: what control returns', async (stage, say) => {
  for (const refusal of [
    new Error('no'),
    new Errno(EINVAL),
    new Errno(ETIMEDOUT),
    new Errno(ECONNRESET),
    new SyscallError('setsockopt', ENOPROTOOPT),
    new SyscallError('setsockopt', ETIMEDOUT),
    errClosed,
    errDeadlineExceeded,
    new AddrError('no', '1'),
    new UnknownNetworkError('x'),
    new InvalidAddrError('odd'),
    new ParseError('thing', 't'),
    new OpError('set', 'tcp', undefined, undefined, new Errno(EINVAL)),
  ]) {
    const control = () => {
      throw refusal;
    };
    const config = new ListenConfig(stage.host, { control });
    say(`dial: ${await outcome(stage, () => new Dialer(stage.host, { control }).dial('tcp', '127.0.0.1:9'))}`);
    say(`listen: ${await outcome(stage, () => config.listen('tcp4', '127.0.0.1:9'))}`);
    say(`listenPacket: ${await outcome(stage, () => config.listenPacket('udp4', '127.0.0.1:9'))}`);
  }
});

scene(scenes, 'whole: what control is told', async ({ host }, say) => {
  const told = (on: string) => (network: string, address: string) => {
    say(`${on} ${network} ${address}`);
    throw new Error('no');
  };
  for (const network of ['tcp', 'tcp4', 'tcp6', 'udp', 'udp4', 'udp6']) {
    for (const a of ['127.0.0.1:9', '[::1]:9', ':9', '0.0.0.0:9', '[::]:9']) {
      await new Dialer(host, { control: told(`dial ${network} ${a}:`) }).dial(network, a).catch(() => {});
      const config = new ListenConfig(host, { control: told(`listen ${network} ${a}:`) });
      const listening = network.startsWith('tcp') ? config.listen(network, a) : config.listenPacket(network, a);
      await (listening as Promise<unknown>).catch(() => {});
    }
  }
});

scene(scenes, 'whole: dials that are over before', async (stage, say) => {
  for (const r of ['127.0.0.1:9', 'nohost.invalid:9', '127.0.0.1', ':x', '']) {
    for (const network of ['tcp', 'udp', 'foo']) {
      say(`timeout ${network} ${r}: ${await outcome(stage, () => stage.host.dial(network, r, { timeout: -1 }))}`);
      const signal = AbortSignal.abort();
      say(`cancelled ${network} ${r}: ${await outcome(stage, () => stage.host.dial(network, r, { signal }))}`);
    }
  }
});

const s = 1000;
const CONFIGS: KeepAliveConfig[] = [
  {},
  { enable: true },
  { enable: true, idle: 5 * s },
  { enable: true, interval: 2100 },
  { enable: true, count: 3 },
  { enable: true, idle: -1, interval: -1, count: -1 },
  { enable: true, idle: -1, interval: 7 * s, count: 4 },
  { enable: true, idle: 1e-6, interval: 1e-6, count: 1 },
  { enable: false, idle: 7 * s, interval: 8 * s, count: 4 },
  { idle: -1, interval: -1, count: -1 },
  { enable: true, idle: 32767 * s, interval: 32767 * s, count: 127 },
  { enable: true, idle: 32768 * s },
  { enable: true, interval: 32768 * s },
  { enable: true, count: 128 },
  { enable: true, idle: 1e-6, interval: 32768 * s, count: 3 },
];
const PERIODS = [0, -1e-6, 1e-6, 1500, 5 * s, 40_000 * s];

function keptAlive(socket: Socket): string {
  const four = [
    socket.getsockopt(SOL_SOCKET, SO_KEEPALIVE),
    socket.getsockopt(IPPROTO_TCP, TCP_KEEPIDLE),
    socket.getsockopt(IPPROTO_TCP, TCP_KEEPINTVL),
    socket.getsockopt(IPPROTO_TCP, TCP_KEEPCNT),
  ];
  return `${four.join('/')} ${socket.getsockopt(IPPROTO_TCP, TCP_NODELAY)}`;
}

for (const [i, keepAliveConfig] of CONFIGS.entries()) {
  scene(scenes, `keepAliveConfig ${i}`, async (stage, say) => {
    const { host } = stage;
    for (const keepAlive of PERIODS) {
      const sockets: Socket[] = [];
      const listen = (_: string, __: string, socket: Socket) => {
        const { accept } = socket;
        socket.accept = () => {
          const made = accept.call(socket);
          if (typeof made !== 'number') sockets[1] = made;
          return made;
        };
      };
      const dial = (_: string, __: string, socket: Socket) => void sockets.push(socket);
      const listener = await host.listen('tcp', '127.0.0.1:0', { keepAlive, keepAliveConfig, control: listen });
      const dialling = host.dial('tcp', `${listener.addr()}`, { keepAlive, keepAliveConfig, control: dial });
      const both = await stage.run(Promise.all([dialling, listener.accept()]));
      say(`${keptAlive(sockets[0] as Socket)}, ${keptAlive(sockets[1] as Socket)}`);
      for (const conn of both) conn.close();
      listener.close();
    }
    const { dialled, socket } = await stage.connected();
    const set = () => outcome(stage, () => dialled.setKeepAliveConfig(keepAliveConfig));
    say(`${await set()}: ${keptAlive(socket)}`);
    dialled.close();
    say(await set());
  });
}
scene(scenes, 'keepAlivePeriod', async (stage, say) => {
  const { dialled, socket } = await stage.connected();
  for (const period of [...PERIODS, -s, 32_767 * s, 32_768 * s, 32_766 * s + 1e-6])
    say(`${await outcome(stage, () => dialled.setKeepAlivePeriod(period))}: ${keptAlive(socket)}`);
});
