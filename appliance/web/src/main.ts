import { mount } from 'svelte';
import type { App as Domain } from './domain/snapshot.ts';
import { Shell } from './shell/shell.svelte.ts';
import App from './view/App.svelte';
import './view/app.css';
import { recallPreferences } from './view/prefs.svelte.ts';

const edges = import.meta.glob<{ startApp: () => Domain | Promise<Domain> }>('./edge/app.ts');

async function start(): Promise<void> {
  recallPreferences();
  const shell = new Shell();
  shell.start();
  const edge = await edges['./edge/app.ts']?.();
  if (edge === undefined) return;
  const app = await edge.startApp();
  const target = document.getElementById('app');
  if (target === null) throw new Error('no #app');
  target.replaceChildren();
  mount(App, { target, props: { app, shell } });
}

void start();
