/** `tunstack lab`, which is also `npm start`. */
import { Command, InvalidArgumentError, Option } from 'commander';
import { runLab } from '../lab/lab.ts';
import { LabError } from '../lab/lab-error.ts';
import { DEFAULT_ADDRESS, type LabNetwork, readNetwork } from '../lab/lab-network.ts';
import { type LabOptions, LINK_KINDS, type LinkKind } from '../lab/lab-options.ts';
import { Interruption } from './interruption.ts';

/** As commander hands them over. */
interface Given {
  readonly link?: LinkKind;
  readonly once?: boolean;
  readonly address: LabNetwork;
  readonly mtu: number;
  readonly offload: boolean;
  readonly pcap?: string;
  readonly color: boolean;
}

/** Linux sends no segments with less than 48 bytes (net.ipv4.tcp_min_snd_mss): into a smaller mtu it sends fragments. */
const SMALLEST_MTU = 88;
const LARGEST_MTU = 65_535;

export function labCommand(): Command {
  return new Command('lab')
    .description(
      'A TCP/IP stack of our own beside that of the kernel: shows a request each way packet by packet, then serves ' +
        'HTTP on port 80 and an echo on port 7 until Ctrl-C.',
    )
    .addOption(
      new Option(
        '--link <kind>',
        'tun: a TUN device here; namespace: one in a network namespace of its own; pipe: two hosts in memory ' +
          '(default: tun as root, else namespace, else pipe)',
      ).choices(LINK_KINDS),
    )
    .option('--once', 'end after the two requests')
    .addOption(
      new Option('--address <address>', 'the address of the tunstack host, with the length of its network')
        .argParser(parseAddress)
        .default(parseAddress(DEFAULT_ADDRESS), DEFAULT_ADDRESS),
    )
    .option('--mtu <bytes>', `the largest packet, ${SMALLEST_MTU} to ${LARGEST_MTU}`, parseMtu, 1500)
    .option('--no-offload', 'every packet no larger than the mtu and with its checksum, as on a wire')
    .option('--pcap <file>', 'write every packet to a pcapng file, for Wireshark')
    .option('--no-color', 'no colours (default: colours on a terminal)')
    .addHelpText('after', '\nCtrl-C is how it ends: exit status 0; a second one ends it at once (130).')
    .action(runCommand);
}

async function runCommand(given: Given): Promise<void> {
  const { link, once = false, address, mtu, offload, pcap, color } = given;
  const options: LabOptions = { link, once, network: address, mtu, offload, pcap, color: color ? undefined : false };
  const interruption = new Interruption(once ? 130 : 0);
  try {
    await runLab(options, process.stdout, interruption.signal);
  } catch (error) {
    if (!(error instanceof LabError)) throw error;
    if (interruption.status === undefined) {
      process.stderr.write(`tunstack: ${error.message}\n`);
      process.exitCode = 1;
    }
  }
  if (interruption.status !== undefined) process.exitCode = interruption.status;
  interruption.end();
}

function parseAddress(text: string): LabNetwork {
  const network = readNetwork(text);
  if (typeof network === 'string') throw new InvalidArgumentError(network);
  return network;
}

function parseMtu(text: string): number {
  const mtu = Number(text);
  if (/^\d+$/.test(text) && mtu >= SMALLEST_MTU && mtu <= LARGEST_MTU) return mtu;
  throw new InvalidArgumentError(`${SMALLEST_MTU} to ${LARGEST_MTU} bytes are taken.`);
}
