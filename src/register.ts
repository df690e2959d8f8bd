/**
 * `node --import tunstack/register app.js`: the program's TCP runs over a tunstack host, without a changed line. Which host, environment variables say
 * (docs/api.md): one on a TUN device, or else one in memory that owns 127.0.0.0/8 and ::1.
 */
import { registerProgram } from './node/register/program.ts';

registerProgram();
