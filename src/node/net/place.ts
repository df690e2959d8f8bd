/** The host that a net module stands on, and what is set for all its sockets. */
import type { Host } from '../../host.ts';
import { errClosed, SyscallError } from '../../net/errors.ts';
import { AF_INET, AF_INET6, SOCK_STREAM } from '../../socket/constants.ts';
import { ENETDOWN } from '../../socket/errno.ts';
import type { Socket } from '../../socket/socket.ts';
import type { Clock } from '../../time/clock.ts';
import { machineNet } from './machine.ts';

export class Place {
  readonly host: Host;
  /** setDefaultAutoSelectFamily, and its timeout, ms; as the command line has them at first. */
  autoSelectFamily = machineNet.getDefaultAutoSelectFamily();
  attemptTimeout = machineNet.getDefaultAutoSelectFamilyAttemptTimeout();

  constructor(host: Host) {
    this.host = host;
  }

  get clock(): Clock {
    return this.host.clock;
  }

  /** A socket of a family, 4 or 6. @returns it, or -errno */
  open(family: number): Socket | number {
    try {
      return this.host.socket(family === 6 ? AF_INET6 : AF_INET, SOCK_STREAM);
    } catch (error) {
      if (error instanceof SyscallError) return error.errno;
      if (error === errClosed) return -ENETDOWN;
      throw error;
    }
  }

  /** Whether the host speaks IPv6. */
  get hasIpv6(): boolean {
    const socket = this.open(6);
    if (typeof socket === 'number') return false;
    socket.close();
    return true;
  }
}
