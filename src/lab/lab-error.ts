/** What ends the lab and is a person's to mend: printed without a stack, exit status 1. */
export class LabError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'LabError';
  }
}
