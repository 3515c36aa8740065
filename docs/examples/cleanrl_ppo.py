"""Train PPO in one file, as CleanRL does, on a sequential world of causalbench.

Nothing of causalbench is used but that importing ``causalbench.env`` registers its environments:
no wrapper, no adapter. Observations are vectors of small integers, which become one-hot here.

    python cleanrl_ppo.py
    python cleanrl_ppo.py --env-id causalbench/CasinoRounds-v0 --world casino-rounds --regime intent

Reference:
    Huang et al., "CleanRL: High-quality single-file implementations of deep reinforcement learning
    algorithms", JMLR 2022; Schulman et al., "Proximal policy optimization algorithms" (2017).
"""

import argparse
import json
import subprocess
import sys
import time

import gymnasium as gym
import numpy as np
import torch
from torch import nn
from torch.distributions import Categorical
from torch.nn.functional import one_hot

import causalbench.env

gym.register_envs(causalbench.env)


def parsed(argv=None):
    """Read the flags."""
    parser = argparse.ArgumentParser(description="PPO on a sequential world of causalbench")
    parser.add_argument("--env-id", default="causalbench/UmbrellaDays-v0")
    parser.add_argument("--world", default="umbrella-days", help="'' to print no reference values")
    parser.add_argument("--regime", default="do", choices=["do", "intent", "replay"])
    parser.add_argument("--total-steps", type=int, default=200_000)
    parser.add_argument("--num-envs", type=int, default=256)
    parser.add_argument("--num-steps", type=int, default=12, help="of each copy between updates")
    parser.add_argument("--learning-rate", type=float, default=2e-3)
    parser.add_argument("--gamma", type=float, default=1.0)
    parser.add_argument("--gae-lambda", type=float, default=0.95)
    parser.add_argument("--minibatches", type=int, default=4)
    parser.add_argument("--epochs", type=int, default=4)
    parser.add_argument("--clip", type=float, default=0.2)
    parser.add_argument("--entropy", type=float, default=0.01)
    parser.add_argument("--value-weight", type=float, default=0.5)
    parser.add_argument("--max-grad-norm", type=float, default=0.5)
    parser.add_argument("--hidden", type=int, default=64)
    parser.add_argument("--test-episodes", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--device", default="cpu")
    return parser.parse_args(argv)


def layer(inputs, outputs, gain=2**0.5):
    """Return a linear layer with orthogonal weights."""
    linear = nn.Linear(inputs, outputs)
    nn.init.orthogonal_(linear.weight, gain)
    nn.init.zeros_(linear.bias)
    return linear


class Agent(nn.Module):
    """An actor and a critic over one-hot observations."""

    def __init__(self, nvec, actions, hidden):
        super().__init__()
        self.nvec, width = [int(n) for n in nvec], int(sum(nvec))

        def tower(outputs, gain):
            return nn.Sequential(
                layer(width, hidden),
                nn.Tanh(),
                layer(hidden, hidden),
                nn.Tanh(),
                layer(hidden, outputs, gain),
            )

        self.actor, self.critic = tower(actions, 0.01), tower(1, 1.0)

    def forward(self, seen):
        """Return the law of the action, and the value."""
        parts = [one_hot(seen[:, place], n) for place, n in enumerate(self.nvec)]
        flat = torch.cat(parts, dim=1).float()
        return Categorical(logits=self.actor(flat)), self.critic(flat).squeeze(-1)


def train(args):
    """Train, and print the mean return along the way."""
    torch.manual_seed(args.seed)
    device = torch.device(args.device)
    envs = gym.make_vec(args.env_id, num_envs=args.num_envs, regime=args.regime)
    shape = (args.num_steps, args.num_envs)
    nvec = envs.single_observation_space.nvec
    agent = Agent(nvec, int(envs.single_action_space.n), args.hidden).to(device)
    optimizer = torch.optim.Adam(agent.parameters(), lr=args.learning_rate, eps=1e-5)
    seen = torch.zeros((*shape, len(nvec)), dtype=torch.int64, device=device)
    actions = torch.zeros(shape, dtype=torch.int64, device=device)
    logprobs, rewards, dones, values = torch.zeros((4, *shape), device=device)

    def on_device(array, kind=torch.float32):
        return torch.as_tensor(array, device=device).to(kind)

    next_seen = on_device(envs.reset(seed=args.seed)[0], torch.int64)
    next_done = torch.zeros(args.num_envs, device=device)
    running, finished = np.zeros(args.num_envs), []
    batch = args.num_envs * args.num_steps
    updates = max(1, args.total_steps // batch)
    began = time.time()
    for update in range(1, updates + 1):
        optimizer.param_groups[0]["lr"] = args.learning_rate * (1 - (update - 1) / updates)
        for step in range(args.num_steps):
            seen[step], dones[step] = next_seen, next_done
            with torch.no_grad():
                law, values[step] = agent(next_seen)
            actions[step] = law.sample()
            logprobs[step] = law.log_prob(actions[step])
            shown, reward, ended, cut, _ = envs.step(actions[step].cpu().numpy())
            rewards[step] = on_device(reward)
            next_seen, next_done = on_device(shown, torch.int64), on_device(ended | cut)
            running += reward
            finished += running[ended].tolist()
            running[ended] = 0.0
        with torch.no_grad():
            following = agent(next_seen)[1]
        advantages, last = torch.zeros_like(rewards), 0.0
        for step in reversed(range(args.num_steps)):
            # An episode that ended is followed by another in the same step: its value is none.
            final = step == args.num_steps - 1
            going = 1.0 - (next_done if final else dones[step + 1])
            ahead = following if final else values[step + 1]
            delta = rewards[step] + args.gamma * ahead * going - values[step]
            last = delta + args.gamma * args.gae_lambda * going * last
            advantages[step] = last
        learn(agent, optimizer, args, (seen, actions, logprobs, advantages, advantages + values))
        if update % max(1, updates // 10) == 0 and finished:
            told = f"steps {update * batch:>8}  mean return {np.mean(finished):.3f}"
            print(f"{told}  ({update * batch / (time.time() - began):,.0f} steps/s)", flush=True)
            finished = []
    envs.close()
    return agent


def learn(agent, optimizer, args, data):
    """Take some epochs of clipped steps on what was just played."""
    seen, actions, logprobs, advantages, returns = (
        each.reshape(-1, *each.shape[2:]) for each in data
    )
    for _ in range(args.epochs):
        for part in torch.randperm(len(actions), device=actions.device).chunk(args.minibatches):
            law, value = agent(seen[part])
            ratio = (law.log_prob(actions[part]) - logprobs[part]).exp()
            gain = advantages[part]
            gain = (gain - gain.mean()) / (gain.std() + 1e-8)
            clipped = ratio.clamp(1 - args.clip, 1 + args.clip)
            loss = torch.max(-gain * ratio, -gain * clipped).mean()
            loss = loss + args.value_weight * 0.5 * ((value - returns[part]) ** 2).mean()
            loss = loss - args.entropy * law.entropy().mean()
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(agent.parameters(), args.max_grad_norm)
            optimizer.step()


def tested(agent, args):
    """Return the returns of the most probable actions on fresh units."""
    envs = gym.make_vec(args.env_id, num_envs=args.num_envs, regime=args.regime)
    shown, _ = envs.reset(seed=args.seed + 10_000_000)
    running, finished = np.zeros(args.num_envs), []
    while len(finished) < args.test_episodes:
        with torch.no_grad():
            law, _ = agent(torch.as_tensor(shown, device=args.device).long())
        shown, reward, ended, _, _ = envs.step(law.logits.argmax(dim=-1).cpu().numpy())
        running += reward
        finished += running[ended].tolist()
        running[ended] = 0.0
    envs.close()
    return np.array(finished)


def references(world):
    """Return the exact value of each rung's best policy, as ``causalbench show`` tells it."""
    command = [sys.executable, "-m", "causalbench", "show", world, "--json"]
    shown = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    phase, *_ = json.loads(shown)["sequence"]["values"].values()
    return {regime: (value["low"], value["high"]) for regime, value in phase.items()}


def main(argv=None):
    """Train, test, and print what a rung-1 and a rung-2 policy are worth beside it."""
    args = parsed(argv)
    agent = train(args)
    returns = tested(agent, args)
    spread = returns.std() / len(returns) ** 0.5
    print(f"PPO ({args.regime})  {returns.mean():.3f} +- {1.96 * spread:.3f}")
    if args.world:
        for regime, (low, high) in references(args.world).items():
            if regime in {"see", args.regime}:
                told = f"{low:.3f}" if low == high else f"{low:.3f} to {high:.3f}"
                print(f"best by {regime:<8} {told}")
    return float(returns.mean())


if __name__ == "__main__":
    torch.set_num_threads(1)
    main()
