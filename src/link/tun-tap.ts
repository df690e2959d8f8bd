/**
 * A link of Ethernet frames over a TAP device of Linux: the kernel of the same machine is a host on that Ethernet.
 *
 * `createEthernet` makes a link of IP packets of it; `connect` of a switch makes it a cable to the kernel.
 */
import { ETHERNET_HEADER_LENGTH } from '../wire/ethernet.ts';
import { openInterface, TunLink, type TunOptions } from './tun.ts';

/** As of a TUN device; `mtu` is that of IP packets, without the 14 bytes of a frame's header. */
export type TapOptions = TunOptions;

/** Its packets are frames: to a host it goes through `createEthernet`. */
export class TapLink extends TunLink {
  /** What travels is no IP: a host would not know what to do with it. */
  readonly medium = 'ethernet';

  /** The kernel's end: `02:00:5e:10:00:01`. Ours is another: see `createEthernet`. */
  get kernelAddress(): string {
    return this.interfaceState().hardwareAddress ?? '';
  }
}

/**
 * Opens a TAP device: as `openTun`, but Ethernet frames travel.
 * @throws TunError as `openTun` does
 */
export function openTap(options: TapOptions = {}): TapLink {
  return openInterface('tap', options, (opened) => new TapLink(opened, ETHERNET_HEADER_LENGTH));
}
