//! XPath: evaluations, and the objects that are made for them.
//!
//! [`context`] has the state of evaluations, [`evaluate`] the steps of one, [`compiled`] expressions that are compiled
//! once, [`values`] the conversion of values between XPath and Python, [`functions`] the functions that Python code
//! adds, [`options`] the arguments of an evaluation, and [`names`] what an expression's text tells about an error.

pub(crate) mod compiled;
pub(crate) mod context;
pub(crate) mod evaluate;
pub(crate) mod functions;
pub(crate) mod names;
pub(crate) mod options;
pub(crate) mod values;
