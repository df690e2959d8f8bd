/**
 * Commands in backticks. Nothing is run: what scripts say to a kernel in them (sysctl, routes' metrics) is said to the host, what
 * concerns the device is noted, and anything else is unsupported.
 */

import type { Stack } from '../stack/stack.ts';
import { congestionControls } from '../tcp/congestion/congestion.ts';
import { Arithmetic } from './arithmetic.ts';
import { filtered, Nstat, procNetTcp } from './command-output.ts';
import { UnsupportedFeature } from './errors.ts';
import { routeCommand } from './route-command.ts';
import { hasSysctl, setSysctl, sysctlText } from './sysctl.ts';

/**
 * What the scripts of packetdrill's own collection start with: sysctl values, and what they rely on without saying so. Those that
 * the host has no knob for are passed over: a script that relies on one meets its lack elsewhere.
 */
const DEFAULTS: readonly string[] = [
  'tcp_rmem=4096 540000 15728640',
  'tcp_wmem=4096 262144 4194304',
  'tcp_timestamps=1',
  'tcp_syn_retries=5',
  'tcp_syn_linear_timeouts=0',
  'tcp_synack_retries=5',
  'tcp_sack=1',
  'tcp_dsack=1',
  'tcp_reordering=3',
  'tcp_slow_start_after_idle=0',
  'tcp_window_scaling=1',
  'tcp_frto=2',
  'tcp_early_retrans=4',
  'tcp_recovery=1',
  'tcp_ecn=0',
  'tcp_ecn_option=2',
  'tcp_pacing_ss_ratio=200',
  'tcp_pacing_ca_ratio=120',
  'tcp_notsent_lowat=4294967295',
  'tcp_fastopen=0x70403',
  'tcp_fastopen_key=a1a1a1a1-b2b2b2b2-c3c3c3c3-d4d4d4d4',
  'tcp_syncookies=1',
];
/** Reachable only with features that are unsupported by themselves when a script uses them. */
const CONGESTION_OF_DEFAULTS = 'cubic';

interface Printed {
  readonly lines: readonly string[];
  readonly status: number;
}

function printed(status: number, lines: readonly string[] = []): Printed {
  return { lines, status };
}

export class Commands {
  readonly #stack: Stack;
  #note: (text: string) => void = () => {};
  readonly #nstatState: Nstat;

  constructor(stack: Stack) {
    this.#stack = stack;
    this.#nstatState = new Nstat(stack);
  }

  /**
   * A shell command, or a script of them.
   * @param note told what was left undone and why that is all right
   * @returns its exit status
   * @throws UnsupportedFeature
   */
  run(text: string, note: (text: string) => void): number {
    this.#note = note;
    let status = 0;
    // Nobody reads what commands print or complain of.
    const plain = text.replace(/\\\n|\d?>&\d|\d?>>? *\/dev\/null/g, ' ');
    for (const line of withArithmetic(plain).split(/\n|;/)) {
      status = this.#chain(line.replace(/(^|\s)#.*$/, '').trim());
    }
    return status;
  }

  /** `a && b || c`. */
  #chain(line: string): number {
    let status = 0;
    let joint = '&&';
    for (const part of line.split(/(&&|\|\|)/)) {
      if (part === '&&' || part === '||') joint = part;
      else if ((joint === '&&') === (status === 0)) status = this.#pipeline(part.trim());
    }
    return status;
  }

  /** What a command prints goes through what stands behind its pipes; the status is that of the last. */
  #pipeline(line: string): number {
    // A bar within quotes belongs to a pattern.
    const [first = '', ...filters] = (line.match(/(?:"[^"]*"|'[^']*'|[^|"'])+/g) ?? []).map((part) =>
      wordsOf(part.trim()),
    );
    if (line === '') return 0;
    let result = this.#command(first as string[], line, filters[0] as string[] | undefined);
    for (const words of filters) result = filtered(result.lines, words as string[]);
    return result.status;
  }

  #command(words: readonly string[], line: string, filter: readonly string[] | undefined): Printed {
    const [program = '', ...args] = words;
    switch (program.split('/').at(-1)) {
      case 'defaults.sh':
        return printed(this.#defaults());
      case 'sysctl':
      case 'set_sysctls.py':
        return this.#sysctls(args);
      case 'echo':
        return printed(this.#echo(args, line));
      case 'ip':
        return printed(this.#ip(args, line));
      case 'nstat':
        return this.#nstat(args, filter);
      case 'cat':
        return printed(0, this.#file(args[0] ?? '', line));
      case 'grep':
        return filtered(this.#file(args.at(-1) ?? '', line), words.slice(0, -1));
      case 'tc':
        return printed(this.#queueingDiscipline(args, line));
      case 'ethtool':
      case 'ifconfig':
      case 'modprobe':
      case 'dmesg':
        this.#note(`${line}: concerns the device or tools outside, not done`);
        return printed(0);
      case 'true':
      case ':':
      case 'sync':
      case 'set':
      case 'ulimit':
        return printed(0);
      case 'false':
        return printed(1);
      case 'exit':
        return printed(Number(args[0] ?? 0));
      default:
        // What puts the settings back when a script is over: there is nothing to put back.
        if (/(restore|cleanup|tear_?down)[\w${}]*(\.sh)?$/.test(program) || /\.restore\.sh$/.test(program))
          return printed(0);
        throw new UnsupportedFeature(`the command ${line}`);
    }
  }

  /** `sysctl -q net.ipv4.tcp_sack=0`, and without a value to print one; `-e`: unknown names do not matter. */
  #sysctls(args: readonly string[]): Printed {
    const lines: string[] = [];
    const lenient = args.some((word) => /^-\w*e/.test(word));
    for (const each of args.filter((word) => !word.startsWith('-') && word !== '/dev/null' && word !== '>')) {
      if (!each.includes('=')) lines.push(...this.#settingText(each, args.includes('-n')));
      else if (!lenient || hasSysctl(this.#stack.sysctl, each)) this.#sysctl(each);
      else this.#note(`${each}: there is no such knob`);
    }
    return printed(0, lines);
  }

  #settingText(name: string, bare: boolean): string[] {
    const value = sysctlText(this.#stack.sysctl, name);
    return [bare ? value : `${name} = ${value}`];
  }

  #nstat(args: readonly string[], filter: readonly string[] | undefined): Printed {
    const pattern = filter?.filter((word) => !word.startsWith('-')).at(1);
    if (pattern !== undefined) this.#nstatState.mustKnow(pattern);
    return printed(0, this.#nstatState.show(args.filter((word) => word.startsWith('-')).join('')));
  }

  /** @throws UnsupportedFeature */
  #file(path: string, line: string): string[] {
    if (path === '/proc/net/tcp') return procNetTcp(this.#stack.sockets().filter(({ netid }) => netid === 'tcp'));
    if (/^\/(proc\/sys|sys\/module)\//.test(path)) return [sysctlText(this.#stack.sysctl, path)];
    throw new UnsupportedFeature(`the command ${line}`);
  }

  #defaults(): number {
    for (const each of DEFAULTS) if (hasSysctl(this.#stack.sysctl, each)) this.#sysctl(each);
    if (congestionControls().includes(CONGESTION_OF_DEFAULTS)) {
      this.#sysctl(`tcp_congestion_control=${CONGESTION_OF_DEFAULTS}`);
    } else {
      this.#note(
        `defaults.sh: ${CONGESTION_OF_DEFAULTS} is not there, ${this.#stack.sysctl.tcp_congestion_control} is used`,
      );
    }
    return 0;
  }

  #sysctl(assignment: string): void {
    const note = setSysctl(this.#stack.sysctl, assignment);
    if (note !== undefined) this.#note(note);
  }

  /** `echo 1 > /proc/sys/net/ipv4/tcp_sack`, `echo 3 > /sys/module/tcp_cubic/parameters/hystart_detect`. */
  #echo(args: readonly string[], line: string): number {
    const to = args.indexOf('>');
    if (to < 0) return 0;
    const path = args[to + 1] ?? '';
    if (!/^\/(proc\/sys|sys\/module\/tcp_cubic\/parameters)\//.test(path))
      throw new UnsupportedFeature(`the command ${line}`);
    this.#sysctl(`${path}=${args.slice(0, to).join(' ')}`);
    return 0;
  }

  /** `tc qdisc replace dev tun0 root fq`: fq paces, and that is all of it that a connection is told of. */
  #queueingDiscipline(args: readonly string[], line: string): number {
    const kind = args[args.indexOf('root') + 1];
    if (args[0] === 'qdisc' && args.includes('root')) this.#queueLimit(args);
    const sets = args[0] === 'qdisc' && /^(add|replace|change)$/.test(args[1] ?? '') && args.includes('root');
    if (sets && kind === 'fq' && args.indexOf('root') + 2 === args.length) this.#stack.sysctl.default_qdisc = 'fq';
    else if (sets && kind?.startsWith('pfifo')) this.#stack.sysctl.default_qdisc = 'pfifo_fast';
    else this.#note(`${line}: concerns the device, not done`);
    return 0;
  }

  /** `pfifo limit 0`: nothing leaves until there is another. */
  #queueLimit(args: readonly string[]): void {
    const at = args.indexOf('limit');
    for (const each of this.#stack.interfaces) each.queueLimit = at > 0 ? Number(args[at + 1]) : Infinity;
  }

  /** `ip tcp_metrics flush`: what is remembered of peers. */
  #metrics(args: readonly string[], line: string): number {
    if (args[1] !== 'flush') throw new UnsupportedFeature(`the command ${line}`);
    this.#stack.forgetPeers();
    return 0;
  }

  /** `ip route change 192.0.2.0/24 dev tun0 initcwnd 4 rto_min 300ms`. */
  #ip(args: readonly string[], line: string): number {
    // What is said of a family follows from the addresses, too.
    const words = args.filter((word) => word !== '-4' && word !== '-6');
    if (words[0] === 'tcp_metrics') return this.#metrics(words, line);
    if (words[0] !== 'route') throw new UnsupportedFeature(`the command ${line}`);
    routeCommand(this.#stack, words.slice(1));
    return 0;
  }
}

/** Words of a shell command; quotes keep blanks. */
function wordsOf(line: string): string[] {
  const found = line.match(/(?:[^\s"'>]|"[^"]*"|'[^']*')+|>/g) ?? [];
  return found.map((word) => word.replace(/["']/g, ''));
}

/** `$((32*1024*1024))`: what a shell makes of it. @throws UnsupportedFeature for more than numbers and + - * / % and brackets */
function withArithmetic(text: string): string {
  return text.replace(/\$\(\(((?:[^()]|\([^()]*\))*)\)\)/g, (_, expression: string) =>
    String(new Arithmetic(expression).value()),
  );
}
