//! The engine behind a command: everything that is asked of an [`Engine`] goes through here.

use std::sync::Arc;

use anyhow::Result;
use auditql_engine::{
    Account, Answer, Engine, Error, ErrorKind, FileShare, Options, SavedQuery, ScanReport,
    arrow::array::RecordBatch, rbac::RbacObjects, schema,
};

use super::{
    account::{AccountOfRun, conclude},
    answer::{Ended, read, write},
    progress::Progress,
};
use crate::{output::Output, settings::Settings, text::unknown};

/// An engine with its inputs open.
pub(crate) struct Session<'s> {
    engine: Arc<Engine>,
    settings: &'s Settings,
}

/// What is asked.
pub(crate) enum Question<'q> {
    /// One SQL statement.
    Sql(&'q str),
    /// A saved query, and the values given for its parameters.
    Saved(&'q SavedQuery, &'q [(String, String)]),
}

/// What came of a question.
pub(crate) struct Shown {
    /// How the writing of the rows ended.
    pub(crate) ended: Result<Ended>,
    /// What was read for them.
    pub(crate) report: ScanReport,
    /// Data files of lakes that were skipped, of those that there are.
    pub(crate) skipped: FileShare,
}

impl<'s> Session<'s> {
    /// Opens the inputs of the settings.
    pub(crate) async fn open(settings: &'s Settings) -> Result<Self> {
        Self::open_with(settings.options.clone(), settings).await
    }

    /// Opens inputs with options that differ from those of the settings.
    pub(crate) async fn open_with(options: Options, settings: &'s Settings) -> Result<Self> {
        let opened = Self::until_stopped(settings, async move || Engine::open(options).await);
        Ok(Self::of(opened.await?, settings))
    }

    /// Opens a lake alone.
    pub(crate) async fn open_lake(lake: &str, settings: &'s Settings) -> Result<Self> {
        let (options, lake) = (settings.options.clone(), lake.to_owned());
        let opened = Self::until_stopped(settings, async move || {
            Engine::open_lake(options, &lake).await
        });
        Ok(Self::of(opened.await?, settings))
    }

    /// Does work that blocks its thread, and leaves it alone when the user asks to stop: it lists,
    /// unpacks or copies, and what is temporary is removed at the end of the program.
    async fn until_stopped<T: Send + 'static>(
        settings: &Settings,
        work: impl AsyncFnOnce() -> auditql_engine::Result<T> + Send + 'static,
    ) -> auditql_engine::Result<T> {
        let work =
            tokio::task::spawn_blocking(move || tokio::runtime::Handle::current().block_on(work()));
        tokio::select! {
            biased;
            _ = settings.interrupt.wait() => Err(ErrorKind::Interrupted.into()),
            done = work => done.unwrap_or_else(|error| {
                Err(ErrorKind::Internal(format!("opening the inputs failed: {error}")).into())
            }),
        }
    }

    fn of(engine: Engine, settings: &'s Settings) -> Self {
        Self {
            engine: Arc::new(engine),
            settings,
        }
    }

    /// Keeps what stdin and pipes hold, so that several questions can be asked about it.
    pub(crate) async fn keep_streams(&self) -> Result<()> {
        let engine = Arc::clone(&self.engine);
        let work = async move || engine.spool_streams();
        Ok(Self::until_stopped(self.settings, work).await?)
    }

    /// The RBAC objects of the input.
    ///
    /// # Errors
    ///
    /// When they are of two clusters.
    pub(crate) fn rbac_objects(&self) -> Result<&RbacObjects> {
        Ok(self.engine.rbac_objects(&self.engine.account())?)
    }

    /// Ends a command that asked about the RBAC objects alone.
    ///
    /// # Errors
    ///
    /// When the account cannot be written.
    pub(crate) fn conclude_objects(&self, settings: &Settings) -> Result<u8> {
        let account = self.engine.account();
        self.engine.rbac_objects(&account)?;
        let ended: Result<()> = Ok(());
        let (code, ()) = conclude(ended, AccountOfRun::of(account.report()), settings)?;
        Ok(code)
    }

    /// What a saved query needs besides the log and is not given.
    ///
    /// # Errors
    ///
    /// When the inputs cannot be read.
    pub(crate) async fn lacking(&self, query: &SavedQuery) -> Result<Option<String>> {
        Ok(self.engine.lacking(query).await?)
    }

    /// Names that the shell completes: tables, columns, functions.
    pub(crate) fn names(&self) -> Vec<String> {
        self.engine.names()
    }

    /// Hands over the rows of a statement as they come, with a progress bar while it takes time.
    /// What fails is in [`Shown::ended`], beside what was read.
    pub(crate) async fn read(
        &self,
        sql: &str,
        each: &mut dyn FnMut(&RecordBatch) -> Result<()>,
    ) -> Shown {
        let account = self.engine.account();
        let progress = Progress::start(&account, self.settings);
        let ended = match self.plan(&Question::Sql(sql), &account).await {
            Ok(Some(answer)) => read(answer, &self.settings.interrupt, each).await,
            Ok(None) => Ok(Ended::Interrupted),
            Err(error) => Err(error),
        };
        drop(progress);
        Shown {
            ended,
            report: account.report(),
            skipped: account.files(),
        }
    }

    /// Writes the answer to a question to stdout, with a progress bar while it takes time. What
    /// fails is in [`Shown::ended`], beside what was read.
    pub(crate) async fn show(&self, question: &Question<'_>, output: &dyn Output) -> Shown {
        let account = self.engine.account();
        let progress = Progress::start(&account, self.settings);
        let ended = self.answer(question, output, &account).await;
        drop(progress);
        Shown {
            ended,
            report: account.report(),
            skipped: account.files(),
        }
    }

    async fn answer(
        &self,
        question: &Question<'_>,
        output: &dyn Output,
        account: &Account,
    ) -> Result<Ended> {
        let ranked = match question {
            Question::Sql(_) => Vec::new(),
            Question::Saved(query, _) => {
                let columns = &query.header.columns;
                columns.key.iter().chain(&columns.detail).cloned().collect()
            }
        };
        match self.plan(question, account).await? {
            Some(answer) => write(answer, output, &ranked, self.settings).await,
            None => Ok(Ended::Interrupted),
        }
    }

    /// The answer to a question; `None` if the user asks to stop while it is planned.
    async fn plan(&self, question: &Question<'_>, account: &Account) -> Result<Option<Answer>> {
        // On this thread: planning needs its large stack.
        let answer = async {
            match question {
                Question::Sql(sql) => self.engine.sql_on(sql, account).await,
                Question::Saved(query, values) => self.engine.run_on(query, values, account).await,
            }
        };
        let answer = tokio::select! {
            biased;
            _ = self.settings.interrupt.wait() => None,
            answer = answer => Some(answer.map_err(with_suggestion)?),
        };
        Ok(answer)
    }

    /// Does work that blocks its thread, with a progress bar; what was read for it. When the user
    /// asks to stop, the work removes what it has not finished before it ends.
    pub(crate) async fn work<T: Send + 'static>(
        &self,
        work: impl AsyncFnOnce(&Engine, &Account) -> auditql_engine::Result<T> + Send + 'static,
    ) -> Result<(auditql_engine::Result<T>, ScanReport)> {
        let account = self.engine.account();
        let progress = Progress::start(&account, self.settings);
        let work = {
            let (engine, account) = (Arc::clone(&self.engine), account.clone());
            tokio::task::spawn_blocking(move || {
                tokio::runtime::Handle::current().block_on(work(&engine, &account))
            })
        };
        tokio::pin!(work);
        let done = tokio::select! {
            done = &mut work => done?,
            _ = self.settings.interrupt.wait() => {
                account.cancel();
                work.await?
            }
        };
        drop(progress);
        Ok((done, account.report()))
    }
}

/// Adds to the error for an unknown table the one that was probably meant.
fn with_suggestion(error: Error) -> anyhow::Error {
    let name = match error.kind() {
        ErrorKind::Sql(message) => unknown_table(message),
        _ => None,
    };
    let Some(name) = name else {
        return error.into();
    };
    let tables = schema::tables().iter().chain(schema::views());
    anyhow::Error::msg(unknown(
        "table",
        name,
        tables.map(|table| table.name.as_str()),
        "`auditql schema` lists tables and views",
    ))
}

/// The table that DataFusion did not find: `table 'datafusion.public.NAME' not found`.
fn unknown_table(message: &str) -> Option<&str> {
    let name = message
        .strip_prefix("table '")?
        .strip_suffix("' not found")?;
    let name = name.strip_prefix("datafusion.public.").unwrap_or(name);
    (!name.contains('.')).then_some(name)
}
