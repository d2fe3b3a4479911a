// The page's first script.
import { render } from 'preact';
import { Comparison } from './state/comparison.ts';
import { readSettings } from './state/settings.ts';
import { App } from './ui/app.tsx';
import './style/index.css';

const settings = readSettings(new URL(location.href));
const comparison = new Comparison(settings);
render(<App comparison={comparison} problems={settings.problems} />, document.querySelector('#app')!);
void comparison.begin(settings.backends);
