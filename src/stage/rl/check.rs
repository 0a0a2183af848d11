//! Fields that must fit each other: above all the equations and what the stage can give them.

use super::super::minibatch::Keep;
use super::fields::Rl;
use crate::kind::{Identity, Reader};
use crate::lang::value::Component;
use crate::lang::{Diagnostic, Diagnostics, Span};
use crate::objective::{Advantage, Objective, Place, Scope, TEACHER};
use crate::play::SplitField;

/// Of an iteration.
const MOST_EPISODES: usize = 1_000_000;

impl Rl {
    pub(crate) fn read_checked(component: &Component, reader: &mut Reader<'_, '_>) -> Option<Self> {
        let read = Self::read_fields(component, reader)?;
        if let (Some(every), None) = (component.fields.get("evaluate_every"), &read.select_on) {
            reader.report(
                Diagnostic::error("E0105", every.name_span, "`evaluate_every` needs `select_on`")
                    .help("name the split to evaluate on, for example `select_on = house.seen`"),
            );
        }
        let place_of =
            |names: &[&str]| names.iter().find_map(|name| component.fields.get(*name)).map_or(component.kind_span, |f| f.value.span);
        if read.episodes().saturating_mul(read.rounds()) > MOST_EPISODES {
            let place = place_of(&["refill", "group_size", "groups"]);
            let rounds = if read.rounds() > 1 { format!(" in each of {} rounds", read.rounds()) } else { String::new() };
            let message = format!("an iteration of {} × {} episodes{rounds}, which are held at once", read.groups.0, read.group_size.0);
            reader.report(Diagnostic::error("E0202", place, message).help(format!("at most {MOST_EPISODES} can be")));
            return None;
        }
        if let (Keep::Groups, Some(rows)) = (read.keep, read.minibatch)
            && rows.0 < read.group_size.0
        {
            let place = component.fields.get("minibatch").map_or(component.kind_span, |field| field.value.span);
            let message = format!(
                "a minibatch of {} rows holds no group: a group of {} episodes has as many rows at least",
                rows.0, read.group_size.0
            );
            let help = "raise `minibatch`, or let it tear groups apart: `keep = episodes`";
            reader.report(Diagnostic::error("E0202", place, message).help(help));
        }
        read.check_mixture(&place_of, reader);
        if read.refill.is_some() && read.group_size.0 == 1 {
            let message = "in a group of one episode nothing differs: `refill` would go on for nothing";
            let help = "play several episodes of a task, for example `group_size = 8`";
            reader.report(Diagnostic::error("E0202", place_of(&["refill"]), message).help(help));
        }
        if let Some(temperature) = &read.temperature
            && read.throughout().any(|now| temperature.at(now) <= 0.0)
        {
            let message = "this temperature comes to 0: nothing is tried any more, and nothing can be learned";
            let help = "keep it above 0, for example `linear(1, floor = 0.3)`";
            reader.report(Diagnostic::error("E0202", place_of(&["temperature"]), message).help(help));
        }
        let choice = read.policy.choice(read.decode.as_ref());
        for split in std::iter::once(&read.on).chain(&read.also_on) {
            split.environment.refuse_choice(choice, reader);
        }
        read.policy.refuse_without_room(read.decode.as_ref(), reader);
        if let decode @ Some(_) = read.evaluate_decode.as_ref() {
            read.policy.refuse_without_room(decode, reader);
        }
        let mut diagnostics = Diagnostics::default();
        let equations = read.equations(&mut diagnostics);
        if let Some((objective, advantage)) = &equations {
            read.warn_of_what_is_not_trained(objective, advantage.as_ref(), &mut diagnostics);
        }
        let rewards = read.checked_rewards(&mut diagnostics);
        diagnostics.0.into_iter().for_each(|d| reader.report(d));
        (equations.is_some() && rewards.is_some()).then_some(read)
    }

    fn check_mixture(&self, place_of: &dyn Fn(&[&str]) -> Span, reader: &mut Reader<'_, '_>) {
        let splits = 1 + self.also_on.len();
        if !self.weights.is_empty() && self.weights.len() != splits {
            let message = format!("{} weights for {splits} splits", self.weights.len());
            let help = "give one for `on` and one for each split of `also_on`, in that order";
            reader.report(Diagnostic::error("E0202", place_of(&["weights"]), message).help(help));
            return;
        }
        if self.throughout().filter_map(|now| self.weights_at(now)).any(|weights| weights.iter().sum::<f64>() <= 0.0) {
            let message = "all weights come to 0 at once: there is nothing to play";
            reader.report(Diagnostic::error("E0202", place_of(&["weights"]), message));
        }
        let foreign = |split: &SplitField| split.environment.identity() != self.on.environment.identity();
        if !self.also.is_empty() && self.also_on.iter().any(foreign) {
            let message = "episodes from elsewhere join the group of their task, and tasks of two environments may have one name";
            let help = "leave out `also`, or take all splits from one environment";
            reader.report(Diagnostic::error("E0202", place_of(&["also"]), message).help(help));
        }
    }

    /// Whether an equation reads what a critic says; without one that does, none is made.
    pub(super) fn reads_critic(objective: &Objective, advantage: Option<&Advantage>) -> bool {
        objective.needs().critic() || advantage.is_some_and(|advantage| advantage.needs().critic())
    }

    /// Whether there is a critic to train and to save.
    pub(super) fn trains_critic(&self) -> bool {
        let equations = self.critic.as_ref().and_then(|_| self.equations(&mut Diagnostics::default()));
        equations.is_some_and(|(objective, advantage)| Self::reads_critic(&objective, advantage.as_ref()))
    }

    /// The checked equations; mistakes go to `diagnostics`.
    pub(crate) fn equations(&self, diagnostics: &mut Diagnostics) -> Option<(Objective, Option<Advantage>)> {
        let advantage = self.advantage.as_ref().map(|field| Advantage::check_in(&field.0, &self.scope(Place::Advantage), diagnostics));
        let scope = match &advantage {
            None => {
                let lack = ("the stage has no `advantage`", "give the pipeline a line such as `advantage = grpo()`");
                self.scope(Place::Loss).lacking("advantage", lack.0, lack.1).lacking("returns", lack.0, lack.1)
            }
            Some(Some(advantage)) => self.scope(Place::Loss).with_advantage(advantage),
            Some(None) => self.scope(Place::Loss),
        };
        let objective = Objective::check(&self.loss.0, &scope, diagnostics);
        match (objective, advantage) {
            (Some(objective), None) => Some((objective, None)),
            (Some(objective), Some(Some(advantage))) => Some((objective, Some(advantage))),
            _ => None,
        }
    }

    fn scope(&self, place: Place) -> Scope {
        let scope = Scope::new(place).running(self.group_size.0, self.iterations.0);
        let scope = match self.teacher {
            Some(_) => scope,
            None => {
                let (reason, help) = ("this stage has no teacher", "give it one: `teacher = POLICY`, of the same vocabulary");
                TEACHER.into_iter().fold(scope, |scope, quantity| scope.lacking(quantity, reason, help))
            }
        };
        let (reason, help) = ("this stage has no critic", "give it one: `critic = value_head { … }`");
        match self.critic {
            Some(_) => scope,
            None => ["value", "old_value"].into_iter().fold(scope, |scope, q| scope.lacking(q, reason, help)),
        }
    }

    /// The loss must reach every model that an equation relies on.
    fn warn_of_what_is_not_trained(&self, objective: &Objective, advantage: Option<&Advantage>, diagnostics: &mut Diagnostics) {
        let place = self.loss.0.minimize.as_ref().map_or(self.loss.0.span, |minimize| minimize.place());
        let reach = objective.needs().gradient;
        let mut warn = |message: &str, help: &str| diagnostics.push(Diagnostic::warning("W0306", place, message).help(help));
        if !reach.policy() {
            warn("nothing here reaches the policy: only the critic is trained", "the policy is reached by `logp` and `entropy`");
        }
        let reads_critic = Self::reads_critic(objective, advantage);
        if reads_critic && !reach.critic() {
            let message = "nothing here reaches the critic, though the equations rely on its values: it stays as it began";
            warn(message, "add a term of `value`, such as `mean(value_clip(0.2))`");
        }
        if let (Some(critic), false) = (&self.critic, reads_critic) {
            let message = "no equation mentions `value`, `old_value` or `returns`, so there is no critic to train";
            let help = "leave it out (`without critic` where it is inherited), or mention `value` in the `advantage` or the `loss`";
            diagnostics.push(Diagnostic::warning("W0308", critic.span, message).help(help));
        }
        if let (Some(_), false) = (&self.teacher, objective.needs().teacher() || advantage.is_some_and(|a| a.needs().teacher())) {
            let message = "no equation mentions `teacher_logp`, `kl_to_teacher` or `kl_from_teacher`, so the teacher is not asked";
            let help = "leave it out (`without teacher` where it is inherited), or mention one of them";
            diagnostics.push(Diagnostic::warning("W0308", place, message).help(help));
        }
        let mentions =
            |quantity: &str| objective.needs().has(quantity) || advantage.is_some_and(|advantage| advantage.needs().has(quantity));
        if let (Some(shaping), false) = (&self.shaping, mentions("reward") || mentions("outcome")) {
            let message = "no equation mentions `reward` or `outcome`, so nobody reads what is added to them";
            let help = "`score` stays the environment's; write `grpo(score + sum(…, by = episode))`, or mention `outcome`";
            diagnostics.push(Diagnostic::warning("W0308", shaping.0.place(), message).help(help));
        }
        objective.warn_of_signs(self.iterations.0, diagnostics);
    }
}
