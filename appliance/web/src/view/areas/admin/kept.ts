/** What an administrator chose on this device: a profile, the columns of a file by a mark of their heads. Never a name. */

// Private windows may forbid storage: then a choice lasts as long as the page.
export function keep(name: string, value: string): void {
  try {
    localStorage.setItem(`wardline.admin.${name}`, value);
  } catch {
    return;
  }
}

export function kept(name: string): string | null {
  try {
    return localStorage.getItem(`wardline.admin.${name}`);
  } catch {
    return null;
  }
}
