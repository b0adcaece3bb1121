/** The control socket can't be opened. */
export class ControlSocketError extends Error {
  override readonly name: string = "ControlSocketError";
}

/** A live broker has the name already. */
export class NameTakenError extends ControlSocketError {
  override readonly name = "NameTakenError";
  /** Name of the broker. */
  readonly broker: string;

  constructor(broker: string) {
    super(
      `Cannot start broker "${broker}": a broker of this name runs already, ` +
        `stop it with "brokkr stop --broker ${broker}" or give this one another name`,
    );
    this.broker = broker;
  }
}
