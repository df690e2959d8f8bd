import { expect } from 'chai';
import { createPipe } from '../../src/link/pipe.ts';
import { procNetTcp } from '../../src/packetdrill/command-output.ts';
import { Commands } from '../../src/packetdrill/commands.ts';
import { ScriptFailure, UnsupportedFeature } from '../../src/packetdrill/errors.ts';
import { Stack } from '../../src/stack/stack.ts';
import { seededRandom } from '../../src/time/random.ts';
import { VirtualClock } from '../../src/time/virtual-clock.ts';
import { IpAddress } from '../../src/wire/address.ts';

function commands() {
  const stack = new Stack({ clock: new VirtualClock(), random: seededRandom(1) });
  const notes: string[] = [];
  const run = new Commands(stack);
  return { stack, notes, run: (text: string) => run.run(text, (note) => notes.push(note)) };
}

describe('packetdrill commands', () => {
  it('set the sysctl table in every form', () => {
    const { stack, run } = commands();
    run('sysctl -q net.ipv4.tcp_sack=0 net.ipv4.tcp_rmem="4096 10000 20000"');
    run('../common/set_sysctls.py /proc/sys/net/ipv4/tcp_retries2=3');
    run('echo 7 > /proc/sys/net/ipv4/tcp_syn_retries');
    run("# a comment\nsysctl -w net.ipv4.tcp_fin_timeout='9' # another\nsysctl \\\n net.ipv4.tcp_timestamps=0; true");
    expect(stack.sysctl).to.deep.include({
      tcp_sack: false,
      tcp_rmem: [4096, 10_000, 20_000],
      tcp_retries2: 3,
      tcp_syn_retries: 7,
      tcp_fin_timeout: 9,
      tcp_timestamps: false,
    });
  });

  it('know defaults.sh: SYNs at 1, 2, 4 s, a window scale of 8, no restart after idle', () => {
    const { stack, run } = commands();
    expect(run('./defaults.sh')).to.equal(0);
    expect(stack.sysctl).to.deep.include({
      tcp_syn_linear_timeouts: 0,
      tcp_rmem: [4096, 540_000, 15_728_640],
      tcp_slow_start_after_idle: false,
    });
  });

  it('set the metrics of routes', () => {
    const { stack, run } = commands();
    expect(() => run('ip route add default dev tun0')).to.throw(ScriptFailure, 'there is no interface');
    const [link] = createPipe();
    stack.addInterface(link, { addresses: [{ address: IpAddress.v4(0x0a000001), bits: 24 }] });
    const metrics = (text: string) => {
      expect(run(text)).to.equal(0);
      return stack.network.routes.lookup(IpAddress.v4(0xc0000201 | 0))?.metrics;
    };
    const change = 'ip route change 192.0.2.0/24 dev tun0';
    expect(metrics(`${change} initcwnd 4 rto_min lock 300ms`)).to.deep.equal({ initcwnd: 4, rtoMin: 300 });
    expect(metrics(`${change} via 10.0.0.2 mtu lock 900 advmss 700`)).to.deep.equal({
      mtu: 900,
      mtuLocked: true,
      advmss: 700,
    });
    expect(
      metrics(
        `${change} window 5000 initrwnd 3 quickack 1 features ecn congctl reno reordering 7 fastopen_no_cookie 1`,
      ),
    ).to.deep.equal({
      window: 5000,
      initrwnd: 3,
      quickack: true,
      ecn: true,
      congctl: 'reno',
      reordering: 7,
      fastopenNoCookie: true,
    });
    // In place of what there was, not beside it.
    expect(metrics(change)).to.deep.equal({});
    expect(metrics('ip route replace 192.0.2.1 dev tun0 rto_min 1s')).to.deep.equal({ rtoMin: 1000 });
    for (const [command, what] of [
      [`${change} ssthresh 9`, 'the route metric ssthresh'],
      [`${change} congctl westwood`, 'the congestion control westwood'],
      [`${change} features tcp_usec_ts`, "the route's feature tcp_usec_ts"],
      ['ip route del 192.0.2.0/24', 'ip route del'],
    ] as const) {
      expect(() => run(command)).to.throw(UnsupportedFeature, what);
    }
    expect(() => run(`${change} mtu big`)).to.throw(ScriptFailure, 'mtu big');
    expect(() => run('ip route change nowhere dev tun0')).to.throw(ScriptFailure, 'nowhere');
  });

  it('note what concerns the device', () => {
    const { notes, run } = commands();
    expect(run('ethtool -K tun0 tso off')).to.equal(0);
    expect(run('tc qdisc replace dev tun0 root netem delay 10ms')).to.equal(0);
    expect(notes).to.deep.equal([
      'ethtool -K tun0 tso off: concerns the device or tools outside, not done',
      'tc qdisc replace dev tun0 root netem delay 10ms: concerns the device, not done',
    ]);
  });

  it('a queueing discipline is known that paces, and its end', () => {
    const { run, stack } = commands();
    for (const [command, discipline] of [
      ['tc qdisc replace dev tun0 root fq', 'fq'],
      ['tc qdisc replace dev tun0 root pfifo', 'pfifo_fast'],
      ['tc qdisc add dev tun0 root fq', 'fq'],
      ['tc qdisc show dev tun0', 'fq'],
      ['sysctl -q net.core.default_qdisc=pfifo_fast', 'pfifo_fast'],
    ] as const) {
      expect(run(command)).to.equal(0);
      expect(stack.sysctl.default_qdisc, command).to.equal(discipline);
    }
  });

  it('join as in a shell, and look at counters', () => {
    const { run } = commands();
    expect(run('true && false')).to.equal(1);
    expect(run('false || true')).to.equal(0);
    expect(run('nstat | grep TcpExtTCPTimeouts')).to.equal(1);
    expect(run('nstat -az | grep -q "TcpExtTCPTimeouts *0"')).to.equal(0);
    expect(() => run('nstat | grep TcpExtNothing')).to.throw(UnsupportedFeature, 'TcpExtNothing');
  });

  it('take a value that describes what we do anyway, and refuse others', () => {
    const { run } = commands();
    expect(run('sysctl -q net.ipv4.tcp_retrans_collapse=0')).to.equal(0);
    for (const [command, what] of [
      ['sysctl -q net.ipv4.tcp_retrans_collapse=1', 'sysctl tcp_retrans_collapse=1'],
      ['sysctl -q net.ipv4.tcp_congestion_control=westwood', 'the congestion control westwood'],
      ['sysctl -q net.ipv4.tcp_no_such_thing=1', 'sysctl tcp_no_such_thing'],
      ['rm -rf /', 'the command rm -rf /'],
    ] as const) {
      expect(() => run(command)).to.throw(UnsupportedFeature, what);
    }
  });

  it('count from the last look on, as nstat does', () => {
    const { stack, run } = commands();
    stack.tcp.counters.TCPTimeouts = 3;
    expect(run("nstat -s | grep -q 'TcpExtTCPTimeouts  *3 '")).to.equal(0);
    expect(run('nstat -n')).to.equal(0);
    expect(run('nstat | grep -q TcpExtTCPTimeouts')).to.equal(1);
    stack.tcp.counters.TCPTimeouts = 4;
    expect(run("nstat | grep TcpExtTCPTimeouts | grep -q ' 1 '")).to.equal(0);
    expect(run("nstat -a | grep -c 'TcpExtTCPTimeouts\\|TcpOutSegs'")).to.equal(0);
    expect(run("nstat -a | grep -v TcpExtTCPTimeouts | grep -q '^TcpExtTCPTimeouts'")).to.equal(1);
  });

  it('read settings, sockets, and the ends of things', () => {
    const { run } = commands();
    expect(run('sysctl -n net.ipv4.tcp_sack | grep -q 1')).to.equal(0);
    expect(run('sysctl net.ipv4.tcp_rmem | grep -qF "net.ipv4.tcp_rmem = 4096"')).to.equal(0);
    expect(run('cat /proc/sys/net/ipv4/tcp_sack | grep -q 0')).to.equal(1);
    expect(run('grep -q "local_address" /proc/net/tcp')).to.equal(0);
    expect(run('sysctl -e -q net.ipv4.tcp_no_such_thing=1')).to.equal(0);
    expect(run('/tmp/sysctl_restore_${PPID}.sh')).to.equal(0);
    expect(run('exit 3')).to.equal(3);
    for (const [command, what] of [
      ['cat /etc/passwd', 'the command cat /etc/passwd'],
      ['nstat | awk 1', 'the command awk 1 behind a pipe'],
      ['sysctl net.ipv4.tcp_no_such_thing', 'sysctl net.ipv4.tcp_no_such_thing'],
    ] as const) {
      expect(() => run(command)).to.throw(UnsupportedFeature, what);
    }
  });

  it('show sockets as /proc/net/tcp does', () => {
    const line = procNetTcp([
      { netid: 'tcp', state: 'LISTEN', local: '192.168.0.1:8080', remote: '0.0.0.0:*', recvQ: 1, sendQ: 5 },
      { netid: 'tcp', state: 'ESTABLISHED', local: '127.0.0.1:80', remote: '1.2.3.4:5', recvQ: 16, sendQ: 255 },
    ]);
    expect(line[1]).to.contain('0: 0100A8C0:1F90 00000000:0000 0A 00000000:00000001 ');
    expect(line[2]).to.contain('1: 0100007F:0050 04030201:0005 01 000000FF:00000010 ');
  });
});
