// A step that is put back has another id than before; what was done to the old one is undone on the new one. Pure.
export class Renamed {
  private readonly later = new Map<number, number>();

  /** What is called so now. */
  now(id: number): number {
    let name = id;
    for (let next = this.later.get(name); next !== undefined; next = this.later.get(name)) name = next;
    return name;
  }

  set(id: number, next: number): void {
    const last = this.now(id);
    if (last !== next) this.later.set(last, next);
  }
}
